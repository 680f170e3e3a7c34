/**
 * One attempt at a Live session: one connection to the upstream with one key (or a client's own token). Worker threads.
 * Sends the setup and waits for the first message; a failure before that can go to the next key unseen. Afterwards
 * messages pass as they come. The key is masked in all that is told.
 */
import type { Outcome } from "@gemini-gateway/core/outcome";
import { classifyAnswer } from "@gemini-gateway/gemini/classify";
import { parseErrorBody } from "@gemini-gateway/gemini/error-body";
import { classifyLiveClose, closeCodeFor, type LiveClose } from "@gemini-gateway/gemini/live-close";
import { redactSecrets } from "@gemini-gateway/gemini/redact";
import { maskedBody } from "@gemini-gateway/gemini/secret-mask";
import type { WebSocket } from "ws";
import { failureOf } from "../judgement.ts";
import type { HeldUse } from "../lease-seeker.ts";
import { LiveSocket, type LiveSocketEvents, type VitalityOptions } from "./live-socket.ts";
import type { LiveOpening, LiveUpstream, OpeningListener } from "./live-upstream.ts";

/** A message as it came. */
export interface LiveMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** What the session wants to hear. After `failed` or `ended` nothing more is called. */
export interface LiveAttemptListener {
  /** The first means that the session is set up. */
  upstreamMessage(attempt: LiveAttempt, data: Buffer, isBinary: boolean): void;
  /** The upstream takes more again. */
  upstreamDrained(): void;
  /** A session that was set up is over. */
  ended(attempt: LiveAttempt, close: LiveClose): void;
  /** It was never set up; `close` is what the upstream said, if that can be passed on. */
  failed(attempt: LiveAttempt, outcome: Outcome, close: LiveClose | undefined): void;
}

export class LiveAttempt implements OpeningListener, LiveSocketEvents {
  /** Undefined for a session that came with a token. */
  readonly use: HeldUse | undefined;
  readonly #listener: LiveAttemptListener;
  readonly #now: () => number;
  readonly #secret: string;
  #setup: LiveMessage | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #opening: WebSocket | undefined;
  #socket: LiveSocket | undefined;
  #isOver = false;

  /** @param secret the credential it is made with, to be kept out of all that is told */
  constructor(use: HeldUse | undefined, secret: string, listener: LiveAttemptListener, now: () => number) {
    this.use = use;
    this.#secret = secret;
    this.#listener = listener;
    this.#now = now;
  }

  begin(upstream: LiveUpstream, opening: LiveOpening, setup: LiveMessage): void {
    this.#setup = setup;
    this.#deadlineMs = this.#now() + opening.handshakeMs;
    try {
      this.#opening = upstream.open(opening, this);
    } catch (error) {
      // A header that no request can carry.
      this.failed(error as Error);
    }
  }

  /** Whether the session is set up. */
  get hasBegun(): boolean {
    return this.#deadlineMs === Number.POSITIVE_INFINITY;
  }

  /** False when it takes no more for now. */
  send(data: Buffer, isBinary: boolean): boolean {
    return this.#socket?.send(data, isBinary) ?? true;
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** The session is over on our side; nothing more is told. */
  close(code: number, reason: string): void {
    this.#end();
    this.#socket?.close(code, reason);
  }

  /** Ends it at once; nothing more is told. */
  abandon(): void {
    this.#end();
    this.#opening?.terminate();
  }

  /** Looks whether it is late or gone. */
  sweep(vitality: VitalityOptions, nowMs: number): void {
    if (this.#isOver) return;
    if (nowMs > this.#deadlineMs) {
      this.abandon();
      const evidence = { httpStatus: 0, reason: "timeout", message: "SETUP_TIMEOUT" };
      this.#listener.failed(this, { kind: "network", evidence }, undefined);
    } else if (this.#socket !== undefined && this.#socket.vitality(vitality, nowMs) !== "alive") {
      this.abandon();
      this.#close(1006, "");
    }
  }

  opened(): void {
    const [socket, setup] = [this.#opening, this.#setup];
    this.#setup = undefined;
    if (this.#isOver || socket === undefined || setup === undefined) return;
    this.#socket = new LiveSocket(socket, this, this.#now);
    this.#socket.send(setup.data, setup.isBinary);
  }

  refused(status: number, contentType: string, body: string): void {
    if (this.#isOver) return;
    this.#end();
    const redacted = this.#redacted(body);
    const outcome = classifyAnswer(
      { status, contentType, body: redacted },
      {
        route: { resource: undefined, generates: true },
        nowMs: this.#now(),
        requestTokensFloor: 0,
        tokenQuotaRefusals: 0,
      },
    );
    const message = parseErrorBody(redacted)?.message ?? "";
    const close = message === "" ? undefined : { code: closeCodeFor(status), reason: message };
    // An answer that is no refusal is no WebSocket either.
    const isRefusal = outcome.kind !== "served";
    const evidence = { httpStatus: status, reason: "no-websocket", message: "" };
    this.#listener.failed(this, isRefusal ? outcome : { kind: "broken", evidence }, close);
  }

  failed(error: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#listener.failed(this, failureOf(withCode(error), false), undefined);
  }

  message(data: Buffer, isBinary: boolean): void {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#listener.upstreamMessage(this, maskedBody(data, this.#secret), isBinary);
  }

  drained(): void {
    this.#listener.upstreamDrained();
  }

  closed(code: number, reason: string): void {
    if (!this.#isOver) this.#close(code, this.#redacted(reason));
  }

  #close(code: number, reason: string): void {
    const hadBegun = this.hasBegun;
    this.#end();
    const close = { code, reason };
    if (hadBegun) {
      this.#listener.ended(this, close);
      return;
    }
    const isSaid = code !== 1006 && code !== 1005;
    this.#listener.failed(this, classifyLiveClose(close, { nowMs: this.#now() }), isSaid ? close : undefined);
  }

  #end(): void {
    this.#isOver = true;
    this.#setup = undefined;
    this.#socket?.mute();
  }

  #redacted(text: string): string {
    return redactSecrets(text, [this.#secret]);
  }
}

/** The handshake's own errors have no code; a time-out among them is one of the network's. */
function withCode(error: Error): Error {
  if ((error as NodeJS.ErrnoException).code !== undefined) return error;
  const isLate = error.message.includes("timed out");
  return Object.assign(new Error("handshake"), { code: isLate ? "HANDSHAKE_TIMEOUT" : "HANDSHAKE_BROKEN" });
}
