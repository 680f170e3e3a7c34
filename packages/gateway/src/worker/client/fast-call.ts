/**
 * One request that the gateway's own reader took in, and its answer: bytes in and out of the socket with as few calls and
 * copies as it takes. Worker threads; made by fast-connection.ts, which feeds it the body. It keeps nothing of a body
 * that somebody reads, and at most two chunks of one that nobody reads yet.
 */
import type { RequestHead } from "../../http1/request-head.ts";
import type { AnswerHeads } from "../../http1/answer-bytes.ts";
import { DiscardingReader } from "../unread-body.ts";
import type { BodyFault, BodyReader, ClientCall, ClientWatcher, Peer } from "./client-call.ts";

/** Bodies and chunks up to this size are copied behind their head or length, so that one write takes all, bytes. */
const JOINED_BYTES_MAX = 65_536;

/** The connection a call came by. */
export interface CallHost {
  readonly heads: AnswerHeads;
  readonly isLost: boolean;
  readonly peer: Peer;
  /** Hands a head (may be "") and a body to the socket as one; false when the client is to be waited for. */
  send(head: string, body: Buffer | string, isChunk: boolean, isEnd: boolean): boolean;
  /** Hands several buffers over as one. */
  sendAll(pieces: readonly Buffer[]): boolean;
  setPaused(isPaused: boolean): void;
  cut(): void;
  /** The answer is ended. */
  answered(): void;
}

/** What is put behind it runs when the present callback is over, and before anything is read. */
const NOW_OVER = Promise.resolve();

type AnswerState = "none" | "head-held" | "begun" | "ended";

export class FastCall implements ClientCall {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly declaredBytes: number;
  /** The reader takes no request without one. */
  readonly lacksHost = false;
  /** The reader takes no request that expects something. */
  readonly awaitsLeave = false;
  readonly #host: CallHost;
  #isLast: boolean;
  /** Bytes of the body that have not come yet. */
  #missingBytes: number;
  /** What of the body came before somebody read it. */
  #early: Buffer | undefined;
  #reader: BodyReader | undefined;
  #watcher: ClientWatcher | undefined;
  #answer: AnswerState = "none";
  #head = "";
  #isChunked = false;
  #hasBody = true;
  /** The first bytes of the body while they are about to be written, see {@link write}. */
  #soon: Buffer | undefined;

  /** @param early bytes of the body that came with the head */
  constructor(host: CallHost, head: RequestHead, early: Buffer | undefined) {
    this.#host = host;
    this.#early = early;
    this.method = head.method;
    this.target = head.target;
    this.rawHeaders = head.rawHeaders;
    this.declaredBytes = head.bodyBytes;
    this.#missingBytes = head.bodyBytes - (early?.length ?? 0);
    this.#isLast = head.isLast;
  }

  get peer(): Peer {
    return this.#host.peer;
  }

  // --- the connection's side -----------------------------------------------------------------------------------------

  get missingBytes(): number {
    return this.#missingBytes;
  }

  get isLast(): boolean {
    return this.#isLast;
  }

  get hasEnded(): boolean {
    return this.#answer === "ended";
  }

  /** See {@link BodyReader}. */
  get isPatient(): boolean {
    return this.#reader?.isPatient === true;
  }

  /** Takes the next bytes of the body, at most as many as are missing. */
  takeBody(chunk: Buffer): void {
    this.#missingBytes -= chunk.length;
    if (this.#reader === undefined) this.#keepEarly(chunk);
    else this.#feed(this.#reader, chunk);
  }

  /** The rest of the body will not come. */
  breakBody(fault: BodyFault): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined || this.hasBegun) this.#host.cut();
    else reader.bodyBroken(fault);
  }

  drained(): void {
    this.#watcher?.clientDrained();
  }

  lost(): void {
    this.#early = undefined;
    this.#soon = undefined;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader instanceof DiscardingReader) reader.bodyEnded();
    if (this.#answer !== "ended") this.#watcher?.clientLeft();
  }

  // --- request -------------------------------------------------------------------------------------------------------

  readBody(reader: BodyReader): void {
    this.#reader = reader;
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) {
      // The reader may pause it again at once.
      if (this.#missingBytes > 0) this.resumeBody();
      this.#feed(reader, early);
    } else if (this.#missingBytes === 0) {
      this.#reader = undefined;
      reader.bodyEnded();
    }
  }

  pauseBody(): void {
    if (this.#missingBytes > 0) this.#host.setPaused(true);
  }

  resumeBody(): void {
    this.#host.setPaused(false);
  }

  discardBody(): void {
    this.#early = undefined;
    if (this.#missingBytes === 0) {
      this.#reader = undefined;
      return;
    }
    this.#reader = new DiscardingReader(() => this.#host.cut());
    this.resumeBody();
  }

  #feed(reader: BodyReader, chunk: Buffer): void {
    reader.bodyChunk(chunk);
    // It may have made room for another reader.
    if (this.#missingBytes > 0 || this.#reader === undefined) return;
    const last = this.#reader;
    this.#reader = undefined;
    last.bodyEnded();
  }

  /** Whoever is to read has not said so yet: no more is taken until then. */
  #keepEarly(chunk: Buffer): void {
    if (this.#early === undefined) {
      this.#early = chunk;
    } else {
      this.#early = Buffer.concat([this.#early, chunk]);
      if (this.#missingBytes > 0) this.#host.setPaused(true);
    }
  }

  // --- response ------------------------------------------------------------------------------------------------------

  get hasBegun(): boolean {
    return this.#answer !== "none";
  }

  get isLost(): boolean {
    return this.#host.isLost;
  }

  closeAfterwards(): void {
    this.#isLast = true;
  }

  watch(watcher: ClientWatcher): void {
    this.#watcher = watcher;
  }

  begin(status: number, headers: readonly string[]): void {
    this.#hasBody = this.method !== "HEAD" && status !== 204 && status !== 304;
    const { text, isChunked } = this.#host.heads.write(status, headers, this.#hasBody, this.#isLast);
    this.#head = text;
    this.#isChunked = isChunked;
    this.#answer = "head-held";
  }

  flushHead(): void {
    if (this.#answer !== "head-held") return;
    this.#answer = "begun";
    this.#host.send(this.#takeHead(), "", false, false);
  }

  /** A short stream mostly comes whole in one piece: its first bytes leave a moment later, with the head and with what follows. */
  write(chunk: Buffer): boolean {
    const isHeadOut = this.#answer === "begun";
    if (this.#answer === "ended" || (isHeadOut && !this.#hasBody)) return true;
    this.#answer = "begun";
    if (!isHeadOut && chunk.length <= JOINED_BYTES_MAX) {
      this.#soon = chunk;
      void NOW_OVER.then(() => this.#writeSoon());
      return true;
    }
    this.#writeSoon();
    // Only what is joined is copied on the way.
    return this.#send(chunk.length > JOINED_BYTES_MAX ? Buffer.from(chunk) : chunk, false);
  }

  end(last: Buffer | string): void {
    if (this.#answer === "ended" || this.#answer === "none") return;
    this.#answer = "ended";
    if (last.length > 0) this.#writeSoon();
    const rest = this.#soon ?? last;
    this.#soon = undefined;
    if (this.#head !== "" || this.#isChunked || (this.#hasBody && rest.length > 0)) this.#send(rest, true);
    this.#host.answered();
  }

  send(status: number, headers: readonly string[], body: Buffer | string): void {
    this.begin(status, headers);
    this.end(body);
  }

  cut(): void {
    this.#writeSoon();
    this.#host.cut();
  }

  /** Writes what was to be written soon. */
  #writeSoon(): void {
    const chunk = this.#soon;
    if (chunk === undefined) return;
    this.#soon = undefined;
    this.#send(chunk, false);
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = "";
    return head;
  }

  #send(body: Buffer | string, isEnd: boolean): boolean {
    const head = this.#takeHead();
    const sent = this.#hasBody ? body : "";
    if (typeof sent === "string" || sent.length <= JOINED_BYTES_MAX) {
      return this.#host.send(head, sent, this.#isChunked, isEnd);
    }
    const [before, after] = this.#isChunked
      ? [`${head}${sent.length.toString(16)}\r\n`, isEnd ? "\r\n0\r\n\r\n" : "\r\n"]
      : [head, ""];
    const pieces = [Buffer.from(before, "latin1"), sent, Buffer.from(after, "latin1")];
    return this.#host.sendAll(pieces.filter(({ length }) => length > 0));
  }
}
