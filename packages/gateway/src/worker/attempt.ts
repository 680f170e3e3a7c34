/**
 * One attempt: one request to the upstream with one key. Worker threads.
 * Holds the answer back until it is known to be worth sending, so that a failure before that goes to the next key
 * unseen; afterwards it hands on bytes as they come. It judges nothing itself: see judgement.ts.
 */
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Route } from "@gemini-gateway/gemini/route";
import { StreamInspector } from "@gemini-gateway/gemini/stream-inspector";
import type { Dispatcher } from "undici";
import { failureOf, judgeRefusal, judgeStream, judgeWhole, streamDialectOf, type StreamDialect } from "./judgement.ts";
import type { HeldUse } from "./lease-desk.ts";
import { TailWindow } from "./tail-window.ts";

/** An answer of the upstream kept whole. */
export interface KeptAnswer {
  readonly status: number;
  readonly rawHeaders: readonly (Buffer | string)[];
  readonly body: Buffer;
}

/** What the request wants to hear from its attempt. After `failed` or `ended` nothing more is called. */
export interface AttemptListener {
  readonly route: Route;
  readonly requestTokensFloor: number;
  readonly tokenQuotaRefusals: number;
  now(): number;
  /** The answer is good: send the head, then the chunks held so far. */
  begun(attempt: Attempt, status: number, rawHeaders: readonly (Buffer | string)[], held: readonly Buffer[]): void;
  /** More of an answer that has begun. Return false to be paused. */
  more(attempt: Attempt, chunk: Buffer): boolean;
  /** A whole answer small enough to be kept: send it. */
  whole(attempt: Attempt, answer: KeptAnswer): void;
  /** An answer that had begun is complete, or broke off with `failure`. */
  ended(attempt: Attempt, failure: Outcome | undefined): void;
  /** Nothing was sent to the client; `kept` is the upstream's answer, if it gave one that can be passed on. */
  failed(attempt: Attempt, outcome: Outcome, kept: KeptAnswer | undefined): void;
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
  #abandoned = false;

  constructor(use: HeldUse, listener: AttemptListener, peekBytesMax: number) {
    this.use = use;
    this.#listener = listener;
    this.#peekBytesMax = peekBytesMax;
  }

  /** Stops the upstream at once; the listener hears nothing more. */
  abandon(): void {
    this.#abandoned = true;
    this.#phase = "over";
    this.#held = [];
    this.#controller?.abort(new Error("abandoned"));
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abandoned) controller.abort(new Error("abandoned"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#phase === "over") return;
    this.status = status;
    this.#rawHeaders = rawHeadersOf(controller, headers);
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
          this.#refuse();
          this.#controller?.abort(new Error("abandoned"));
        }
        return;
      case "waiting":
      case "over":
    }
  }

  onResponseEnd(): void {
    switch (this.#phase) {
      case "relaying":
        this.#phase = "over";
        this.#listener.ended(this, undefined);
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
    if (this.#phase === "over") return;
    const relaying = this.#phase === "relaying";
    const hadAnswer = this.#phase !== "waiting";
    this.#phase = "over";
    const outcome = failureOf(error, hadAnswer);
    if (relaying) this.#listener.ended(this, outcome);
    else this.#listener.failed(this, outcome, undefined);
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #begin(): void {
    const held = this.#held;
    this.#held = [];
    this.#inspector = undefined;
    this.#phase = "relaying";
    for (const chunk of held) this.tail.push(chunk);
    this.#listener.begun(this, this.status, this.#rawHeaders, held);
  }

  #relay(chunk: Buffer): void {
    this.tail.push(chunk);
    if (!this.#listener.more(this, chunk)) this.#controller?.pause();
  }

  #inspect(chunk: Buffer): void {
    this.#hold(chunk);
    const verdict = this.#inspector?.push(chunk) ?? { kind: "meaningful" };
    if (verdict.kind === "meaningful") {
      this.#begin();
      return;
    }
    const outcome = judgeStream(verdict, this.#context());
    if (outcome === undefined) return;
    const kept = this.#kept();
    this.#phase = "over";
    this.#controller?.abort(new Error("abandoned"));
    this.#listener.failed(this, outcome, kept);
  }

  #concludeStream(): void {
    const verdict = this.#inspector?.end() ?? { kind: "meaningful" };
    const kept = this.#kept();
    const outcome = judgeStream(verdict, this.#context());
    this.#phase = "over";
    if (outcome === undefined) this.#listener.whole(this, kept);
    else this.#listener.failed(this, outcome, kept.body.length > 0 ? kept : undefined);
  }

  #concludeWhole(): void {
    const kept = this.#kept();
    const outcome = judgeWhole(kept, this.#context());
    this.#phase = "over";
    if (outcome === undefined) this.#listener.whole(this, kept);
    else this.#listener.failed(this, outcome, outcome.kind === "broken" ? undefined : kept);
  }

  #refuse(): void {
    const kept = this.#kept();
    const { outcome, redacted } = judgeRefusal(kept, this.#context());
    this.#phase = "over";
    this.#listener.failed(this, outcome, redacted);
  }

  #kept(): KeptAnswer {
    const body = this.#held.length === 1 ? (this.#held[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#held);
    return { status: this.status, rawHeaders: this.#rawHeaders, body };
  }

  #context(): Parameters<typeof judgeWhole>[1] {
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
