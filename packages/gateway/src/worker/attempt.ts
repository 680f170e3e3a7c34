/**
 * One attempt: one request to the upstream with one key. Worker threads.
 * Holds the answer back until it is known to be worth sending, so that a failure before that goes to the next key
 * unseen; afterwards it hands on bytes as they come. It judges nothing itself: see judgement.ts.
 */
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Route } from "@gemini-gateway/gemini/route";
import { maskedBody, maskedHeaders, SecretMask } from "@gemini-gateway/gemini/secret-mask";
import { StreamInspector } from "@gemini-gateway/gemini/stream-inspector";
import type { AnswerHead } from "../http1/answer-head.ts";
import type { AttemptSubject } from "./attempt-subject.ts";
import {
  failureOf,
  judgeRefusal,
  judgeStream,
  judgeWhole,
  streamDialectOf,
  type Judgement,
  type JudgementContext,
  type StreamDialect,
} from "./judgement.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import type { HeldUse } from "./lease-seeker.ts";
import { TailWindow } from "./tail-window.ts";
import type { AnswerHandler, OutgoingRequest, UpstreamCall } from "./upstream-call.ts";
import type { Upstream } from "./upstream.ts";

/** What the request wants to hear from its attempt. After `failed` or `ended` nothing more is called. */
export interface AttemptListener {
  /** The answer is good: send the head, then the chunks held so far, the last of which may be in memory that is used again. */
  begun(attempt: Attempt, rawHeaders: readonly string[], held: readonly Buffer[]): void;
  /** More of an answer that has begun, in memory that is used again afterwards. Return false to be paused. */
  more(attempt: Attempt, chunk: Buffer): boolean;
  /** A whole answer small enough to be kept: send it. */
  whole(attempt: Attempt, answer: KeptAnswer): void;
  /** An answer that had begun is complete, or broke off with `failure`. */
  ended(attempt: Attempt, failure: Outcome | undefined): void;
  /** Nothing was sent to the client; `kept` is the upstream's answer, if it gave one that can be passed on. */
  failed(attempt: Attempt, outcome: Outcome, kept: KeptAnswer | undefined): void;
  /** One of the above threw: whatever it has not done yet is to be ended now. */
  faulted(attempt: Attempt): void;
}

/** Bytes of an error answer that are read, the rest is cut off. */
const REFUSAL_BYTES_MAX = 262_144;

type Phase = "waiting" | "refused" | "unary" | "inspecting" | "relaying" | "over";

export class Attempt implements AnswerHandler, JudgementContext {
  readonly use: HeldUse;
  readonly tail = new TailWindow();
  /** How the stream is framed; undefined for an answer that is no stream. */
  dialect: StreamDialect | undefined;
  status = 0;
  readonly #listener: AttemptListener;
  readonly #subject: AttemptSubject;
  readonly #peekBytesMax: number;
  /** Undefined before it is sent and once it is over. */
  #call: UpstreamCall | undefined;
  #phase: Phase = "waiting";
  #rawHeaders: readonly string[] = [];
  #contentType = "";
  #held: Buffer[] = [];
  #heldBytes = 0;
  #inspector: StreamInspector | undefined;
  /** From the moment that bytes go to the client. */
  #mask: SecretMask | undefined;

  constructor(use: HeldUse, subject: AttemptSubject, listener: AttemptListener, peekBytesMax: number) {
    this.use = use;
    this.#subject = subject;
    this.#listener = listener;
    this.#peekBytesMax = peekBytesMax;
  }

  /** Sends the request, once. What comes of it may be told before this returns. */
  begin(upstream: Upstream, request: OutgoingRequest): void {
    const call = upstream.send(request, this);
    if (this.#phase !== "over") this.#call = call;
  }

  /** Stops the upstream at once; the listener hears nothing more. */
  abandon(): void {
    this.#held = [];
    this.#abort();
  }

  pause(): void {
    this.#call?.pause();
  }

  resume(): void {
    this.#call?.resume();
  }

  onHead(head: AnswerHead): void {
    try {
      this.#takeHead(head);
    } catch {
      this.#fault();
    }
  }

  onData(chunk: Buffer): void {
    try {
      this.#take(chunk);
    } catch {
      this.#fault();
    }
  }

  onEnd(): void {
    try {
      this.#conclude();
    } catch {
      this.#fault();
    }
  }

  onError(error: Error): void {
    if (this.#phase === "over") return;
    const outcome = failureOf(error, this.#phase !== "waiting");
    try {
      if (this.#phase === "relaying") this.#endRelay(outcome);
      else this.#fail({ outcome, kept: undefined });
    } catch {
      this.#fault();
    }
  }

  #takeHead({ status, rawHeaders, contentType }: AnswerHead): void {
    this.status = status;
    this.#rawHeaders = maskedHeaders(rawHeaders, this.use.secret);
    this.#contentType = contentType;
    if (status >= 300) {
      this.#phase = "refused";
      return;
    }
    const { route } = this.#subject;
    this.dialect = streamDialectOf(route, contentType);
    if (this.dialect === undefined) {
      this.#phase = "unary";
    } else if (route.generates || route.operation === "interactions.create") {
      this.#phase = "inspecting";
      this.#inspector = new StreamInspector(this.dialect);
    } else {
      this.#relayHeld();
    }
  }

  #take(chunk: Buffer): void {
    switch (this.#phase) {
      case "relaying":
        this.#relay(chunk);
        return;
      case "inspecting":
        this.#inspect(chunk);
        return;
      case "unary":
        this.#hold(chunk);
        if (this.#heldBytes > this.#peekBytesMax) this.#relayHeld();
        return;
      case "refused":
        this.#hold(chunk);
        if (this.#heldBytes > REFUSAL_BYTES_MAX) {
          this.#abort();
          this.#refuse();
        }
        return;
      case "waiting":
      case "over":
    }
  }

  #conclude(): void {
    switch (this.#phase) {
      case "relaying":
        this.#endRelay(undefined);
        return;
      case "inspecting":
        this.#concludeStream();
        return;
      case "unary":
        this.#concludeWhole();
        return;
      case "refused":
        this.#refuse();
        return;
      case "waiting":
      case "over":
    }
  }

  #abort(): void {
    const call = this.#call;
    this.#end();
    call?.abort();
  }

  /** Our own code failed: nothing more is to come, and the request is to be ended by whoever can. */
  #fault(): void {
    this.#abort();
    this.#listener.faulted(this);
  }

  #end(): void {
    this.#phase = "over";
    this.#call = undefined;
    this.#inspector = undefined;
  }

  #fail({ outcome, kept }: Judgement): void {
    this.#end();
    this.#listener.failed(this, outcome, kept === undefined ? undefined : this.#masked(kept));
  }

  /** The whole answer is good. */
  #finish(kept: KeptAnswer): void {
    this.#end();
    this.#listener.whole(this, this.#masked(kept));
  }

  /** Judged as it came, told without the key: what is passed on though it failed may hold it too. */
  #masked(kept: KeptAnswer): KeptAnswer {
    const body = maskedBody(kept.body, this.use.secret);
    return body === kept.body ? kept : { ...kept, body };
  }

  #hold(chunk: Buffer): void {
    const copy = Buffer.from(chunk);
    // A first push takes room for seventeen, and most answers come in one piece.
    if (this.#held.length === 0) this.#held = [copy];
    else this.#held.push(copy);
    this.#heldBytes += chunk.length;
  }

  #relayHeld(): void {
    const mask = new SecretMask(this.use.secret);
    const held = this.#held.map((chunk) => mask.push(chunk));
    this.#mask = mask;
    this.#held = [];
    this.#inspector = undefined;
    this.#phase = "relaying";
    for (const chunk of held) this.tail.push(chunk);
    this.#listener.begun(this, this.#rawHeaders, held);
    // They have been told.
    this.#rawHeaders = [];
  }

  #relay(chunk: Buffer): void {
    const clean = this.#mask?.push(chunk) ?? chunk;
    // All of it may be the beginning of the key, until the next chunk says otherwise.
    if (clean.length === 0) return;
    this.tail.push(clean);
    if (!this.#listener.more(this, clean)) this.pause();
  }

  #endRelay(failure: Outcome | undefined): void {
    this.#end();
    const rest = this.#mask?.end();
    if (rest !== undefined) {
      this.tail.push(rest);
      this.#listener.more(this, rest);
    }
    this.#listener.ended(this, failure);
  }

  #inspect(chunk: Buffer): void {
    const verdict = this.#inspector?.push(chunk) ?? { kind: "meaningful" };
    if (verdict.kind === "meaningful") {
      // Sent at once, so that it need not be copied.
      this.#held = [...this.#held, chunk];
      this.#relayHeld();
      return;
    }
    this.#hold(chunk);
    if (verdict.kind === "undecided") return;
    const judged = judgeStream(verdict, this.#kept(), this);
    if (judged === undefined) return;
    this.#abort();
    this.#fail(judged);
  }

  #concludeStream(): void {
    const verdict = this.#inspector?.end() ?? { kind: "meaningful" };
    const kept = this.#kept();
    const judged = judgeStream(verdict, kept, this);
    if (judged === undefined) this.#finish(kept);
    else this.#fail(judged);
  }

  #concludeWhole(): void {
    const kept = this.#kept();
    const judged = this.#subject.route.generates ? judgeWhole(kept, this) : undefined;
    if (judged === undefined) this.#finish(kept);
    else this.#fail(judged);
  }

  #refuse(): void {
    this.#fail(judgeRefusal(this.#kept(), this));
  }

  #kept(): KeptAnswer {
    const body = this.#held.length === 1 ? (this.#held[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#held);
    return { status: this.status, rawHeaders: this.#rawHeaders, body };
  }

  // --- what judgements ask for, most of it only after a failure ------------------------------------------------------

  get route(): Route {
    return this.#subject.route;
  }

  get refersTo(): AttemptSubject["refersTo"] {
    return this.#subject.refersTo;
  }

  get isSigned(): boolean {
    return this.#subject.isSigned;
  }

  get contentType(): string {
    return this.#contentType;
  }

  get secret(): string {
    return this.use.secret;
  }

  get nowMs(): number {
    return this.#subject.now();
  }

  get requestTokensFloor(): number {
    return this.#subject.requestTokensFloor;
  }

  get tokenQuotaRefusals(): number {
    return this.#subject.tokenQuotaRefusals;
  }
}
