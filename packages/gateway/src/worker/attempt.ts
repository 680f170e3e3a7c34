/**
 * One attempt: one request to the upstream with one key. Worker threads.
 * Holds the answer back until it is known to be worth sending, so that a failure before that goes to the next key
 * unseen; afterwards it hands on bytes as they come. It judges nothing itself: see judgement.ts.
 */
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Route } from "@gemini-gateway/gemini/route";
import { maskedHeaders, SecretMask } from "@gemini-gateway/gemini/secret-mask";
import { StreamInspector } from "@gemini-gateway/gemini/stream-inspector";
import type { Dispatcher } from "undici";
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
import type { HeldUse } from "./lease-desk.ts";
import { TailWindow } from "./tail-window.ts";

/** What the request wants to hear from its attempt. After `failed` or `ended` nothing more is called. */
export interface AttemptListener {
  readonly route: Route;
  readonly requestTokensFloor: number;
  readonly tokenQuotaRefusals: number;
  now(): number;
  /** The answer is good: send the head, then the chunks held so far. */
  begun(
    attempt: Attempt,
    status: number,
    rawHeaders: readonly (Buffer | string)[],
    held: readonly Buffer[],
  ): void;
  /** More of an answer that has begun. Return false to be paused. */
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

export class Attempt implements Dispatcher.DispatchHandler {
  readonly use: HeldUse;
  readonly tail = new TailWindow();
  /** How the stream is framed; undefined for an answer that is no stream. */
  dialect: StreamDialect | undefined;
  status = 0;
  readonly #listener: AttemptListener;
  readonly #peekBytesMax: number;
  #controller: Dispatcher.DispatchController | undefined;
  #phase: Phase = "waiting";
  #rawHeaders: readonly (Buffer | string)[] = [];
  #contentType = "";
  #held: Buffer[] = [];
  #heldBytes = 0;
  #inspector: StreamInspector | undefined;
  /** The attempt broke the connection off by itself: that it is broken is no news. */
  #hasAborted = false;
  readonly #mask: SecretMask;

  constructor(use: HeldUse, listener: AttemptListener, peekBytesMax: number) {
    this.use = use;
    this.#mask = new SecretMask(use.secret);
    this.#listener = listener;
    this.#peekBytesMax = peekBytesMax;
  }

  /** Stops the upstream at once; the listener hears nothing more. */
  abandon(): void {
    this.#held = [];
    this.#abort();
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#hasAborted) this.#abort();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#phase === "over") return;
    this.status = status;
    this.#rawHeaders = maskedHeaders(rawHeadersOf(controller, headers), this.use.secret);
    this.#contentType = String(headers["content-type"] ?? "");
    if (status >= 300) {
      this.#phase = "refused";
      return;
    }
    const { route } = this.#listener;
    this.dialect = streamDialectOf(route, this.#contentType);
    if (this.dialect === undefined) {
      this.#phase = "unary";
    } else if (route.generates) {
      this.#phase = "inspecting";
      this.#inspector = new StreamInspector(this.dialect);
    } else {
      this.#begin();
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    switch (this.#phase) {
      case "relaying":
        this.#relay(chunk);
        return;
      case "inspecting":
        this.#inspect(chunk);
        return;
      case "unary":
        this.#hold(chunk);
        if (this.#heldBytes > this.#peekBytesMax) this.#begin();
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

  onResponseEnd(): void {
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

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#phase === "over") {
      // The upstream client tells an exception of ours in this way, too.
      if (!this.#hasAborted) this.#listener.faulted(this);
      return;
    }
    const outcome = failureOf(error, this.#phase !== "waiting");
    try {
      if (this.#phase === "relaying") this.#endRelay(outcome);
      else this.#fail({ outcome, kept: undefined });
    } catch {
      // Nobody above would tell us of this one.
      this.#listener.faulted(this);
    }
  }

  /** Over before it is broken off: the upstream client tells of the break at once. */
  #abort(): void {
    this.#phase = "over";
    this.#hasAborted = true;
    this.#controller?.abort(new Error("abandoned"));
  }

  #fail({ outcome, kept }: Judgement): void {
    this.#phase = "over";
    this.#listener.failed(this, outcome, kept === undefined ? undefined : this.#masked(kept));
  }

  /** The whole answer is good. */
  #finish(kept: KeptAnswer): void {
    this.#phase = "over";
    this.#listener.whole(this, this.#masked(kept));
  }

  /** Judged as it came, told without the key: what is passed on though it failed may hold it too. */
  #masked(kept: KeptAnswer): KeptAnswer {
    const clean = this.#mask.push(kept.body);
    const rest = this.#mask.end();
    return { ...kept, body: rest === undefined ? clean : Buffer.concat([clean, rest]) };
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #begin(): void {
    const held = this.#held.map((chunk) => this.#mask.push(chunk));
    this.#held = [];
    this.#inspector = undefined;
    this.#phase = "relaying";
    for (const chunk of held) this.tail.push(chunk);
    this.#listener.begun(this, this.status, this.#rawHeaders, held);
  }

  #relay(chunk: Buffer): void {
    const clean = this.#mask.push(chunk);
    // All of it may be the beginning of the key, until the next chunk says otherwise.
    if (clean.length === 0) return;
    this.tail.push(clean);
    if (!this.#listener.more(this, clean)) this.#controller?.pause();
  }

  #endRelay(failure: Outcome | undefined): void {
    this.#phase = "over";
    const rest = this.#mask.end();
    if (rest !== undefined) {
      this.tail.push(rest);
      this.#listener.more(this, rest);
    }
    this.#listener.ended(this, failure);
  }

  #inspect(chunk: Buffer): void {
    this.#hold(chunk);
    const verdict = this.#inspector?.push(chunk) ?? { kind: "meaningful" };
    if (verdict.kind === "meaningful") {
      this.#begin();
      return;
    }
    if (verdict.kind === "undecided") return;
    const judged = judgeStream(verdict, this.#kept(), this.#context());
    if (judged === undefined) return;
    this.#abort();
    this.#fail(judged);
  }

  #concludeStream(): void {
    const verdict = this.#inspector?.end() ?? { kind: "meaningful" };
    const kept = this.#kept();
    const judged = judgeStream(verdict, kept, this.#context());
    if (judged === undefined) this.#finish(kept);
    else this.#fail(judged);
  }

  #concludeWhole(): void {
    const kept = this.#kept();
    const judged = judgeWhole(kept, this.#context());
    if (judged === undefined) this.#finish(kept);
    else this.#fail(judged);
  }

  #refuse(): void {
    this.#fail(judgeRefusal(this.#kept(), this.#context()));
  }

  #kept(): KeptAnswer {
    const body = this.#held.length === 1 ? (this.#held[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#held);
    return { status: this.status, rawHeaders: this.#rawHeaders, body };
  }

  #context(): JudgementContext {
    const { route, requestTokensFloor, tokenQuotaRefusals } = this.#listener;
    return {
      route,
      contentType: this.#contentType,
      secret: this.use.secret,
      nowMs: this.#listener.now(),
      requestTokensFloor,
      tokenQuotaRefusals,
    };
  }
}

function rawHeadersOf(
  controller: Dispatcher.DispatchController,
  headers: Record<string, string | string[] | undefined>,
): readonly (Buffer | string)[] {
  const raw = controller.rawHeaders;
  if (Array.isArray(raw)) return raw;
  // HTTP/2 gives an object.
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? ""]).flatMap((one) => [name, one]),
  );
}
