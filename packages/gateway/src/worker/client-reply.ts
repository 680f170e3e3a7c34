/**
 * The client's side of one request: writes the head, the bytes, the last word; counts them; holds back who is too
 * fast. Worker threads. Never decides what is said.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import { answerDialect } from "@gemini-gateway/gemini/error-answer";
import type { ClientHeaders } from "@gemini-gateway/gemini/headers";
import type { Route } from "@gemini-gateway/gemini/route";
import { shownName } from "../affinity/stored-name.ts";
import type { ClientCall } from "./client/client-call.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import { ownAnswer, retryAfterHeaders, sendOwnAnswer, sendRefusal } from "./own-answer.ts";

type RawHeaders = readonly string[];

/** Says at the last moment what goes into every head. */
export interface ReplyWords {
  /** What of the upstream's own passes. */
  readonly clientHeaders: ClientHeaders;
  /** A flat list. */
  extraHeaders(): readonly string[];
}

export class ClientReply {
  readonly #call: ClientCall;
  readonly #route: Route;
  readonly #now: () => number;
  readonly #words: ReplyWords;
  #firstByteAtMs = -1;
  #bytes = 0;

  constructor(call: ClientCall, route: Route, words: ReplyWords, now: () => number) {
    this.#call = call;
    this.#route = route;
    this.#words = words;
    this.#now = now;
  }

  /** Moment the head was written, milliseconds since the epoch; -1 before. */
  get firstByteAtMs(): number {
    return this.#firstByteAtMs;
  }

  /** Bytes of the body handed to the socket. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Starts an answer of the upstream that continues with {@link write}. A stream's length is not promised, even when
   * the upstream did: should it break off, one more event must fit.
   */
  begin(status: number, rawHeaders: RawHeaders, isStream: boolean): void {
    const headers = this.#words.clientHeaders.of(rawHeaders, { keepLength: !isStream });
    this.#firstByteAtMs = this.#now();
    headers.push(...this.#words.extraHeaders());
    this.#call.begin(status, headers);
  }

  /** Writes on; false when the client is to be waited for. */
  write(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    return this.#call.write(chunk);
  }

  /** Sends the head without waiting for a first chunk. */
  flushHead(): void {
    this.#call.flushHead();
  }

  end(last = ""): void {
    this.#bytes += Buffer.byteLength(last);
    this.#call.end(last);
  }

  /** True once the client may have seen something. */
  get hasBegun(): boolean {
    return this.#call.hasBegun;
  }

  /** Cuts the connection: the only honest end of an answer that can no longer be completed. */
  cut(): void {
    this.#call.cut();
  }

  /** Sends a whole answer of the upstream. */
  whole(answer: KeptAnswer): void {
    this.#sendWhole(answer, this.#wholeHeaders(answer));
  }

  /** Passes on an answer the client must see as it is, with a moment to come back if its headers name none. */
  passOn(answer: KeptAnswer, retryAfterMs: number | undefined): void {
    const headers = this.#wholeHeaders(answer);
    if (retryAfterMs !== undefined && !names(headers, "retry-after")) {
      headers.push(...retryAfterHeaders(retryAfterMs, answerDialect(this.#route)));
    }
    this.#sendWhole(answer, headers);
  }

  /**
   * Answers with one of the gateway's own errors; returns the status.
   * @param unread whether (some of) the request's body has not been read
   * @param about canonical names of resources that it is to name
   */
  own(
    code: ErrorCode,
    retryAfterMs: number | undefined,
    unread: boolean,
    about: readonly string[] = [],
  ): number {
    const answer = ownAnswer(code, answerDialect(this.#route), retryAfterMs, about.map(shownName));
    this.#firstByteAtMs = this.#now();
    this.#bytes = Buffer.byteLength(answer.body);
    if (unread) sendRefusal(this.#call, answer, this.#words.extraHeaders());
    else sendOwnAnswer(this.#call, answer, this.#words.extraHeaders());
    return answer.status;
  }

  /** With the length of the body that is sent; of one that is only told about (HEAD, 304), what the upstream says. */
  #wholeHeaders({ status, rawHeaders, body }: KeptAnswer): string[] {
    const isBodiless = this.#call.method === "HEAD" || status === 204 || status === 304;
    const headers = this.#words.clientHeaders.of(rawHeaders, { keepLength: isBodiless });
    if (!isBodiless) headers.push("content-length", String(body.length));
    return headers;
  }

  #sendWhole({ status, body }: KeptAnswer, headers: string[]): void {
    this.#firstByteAtMs = this.#now();
    headers.push(...this.#words.extraHeaders());
    this.#bytes = body.length;
    this.#call.send(status, headers, body);
  }
}

function names(headers: readonly string[], wanted: string): boolean {
  return headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === wanted);
}
