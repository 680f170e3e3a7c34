/**
 * Messages of the server on their way to one Live client, with the faults that stand between them: stalls, closes,
 * resets, goAway. Counts what was sent; a fault "after n" acts as soon as n are out. Runs on the emulator's thread.
 */
import type { ActiveFault } from "../fault-rules.ts";
import { isSubstitute } from "../fault-rules.ts";
import type { TimerWheel, Wakeable } from "../timer-wheel.ts";
import type { LiveClose } from "./close-codes.ts";

/** Messages that may wait for a held session to go on; one more ends it. */
export const OUTBOX_MESSAGES_MAX = 10_000;

export interface OutboxEvents {
  /** Writes one message to the socket. */
  write(message: object): void;
  close(close: LiveClose): void;
  reset(): void;
  held(ruleId: number): void;
  resumed(): void;
}

interface Gate {
  readonly before: number;
  readonly ruleId: number;
  readonly action: GateAction;
}

type GateAction =
  | { readonly kind: "hold" }
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "reset" }
  | { readonly kind: "close"; readonly close: LiveClose }
  | { readonly kind: "insert"; readonly message: object };

type Progress = "waiting-for-setup" | "running" | "paused" | "ended";

export class LiveOutbox implements Wakeable {
  readonly #events: OutboxEvents;
  readonly #wheel: TimerWheel;
  readonly #monotonicMs: () => number;
  readonly #queue: object[] = [];
  #gates: Gate[] = [];
  #progress: Progress = "waiting-for-setup";
  #sent = 0;

  constructor(
    events: OutboxEvents,
    tools: { readonly wheel: TimerWheel; readonly monotonicMs: () => number },
  ) {
    this.#events = events;
    this.#wheel = tools.wheel;
    this.#monotonicMs = tools.monotonicMs;
  }

  /** The setup has come: the faults are known, and messages may go. */
  begin(faults: readonly ActiveFault[]): void {
    this.#gates = faults.flatMap(gateOf);
    this.#progress = "running";
  }

  send(...messages: readonly object[]): void {
    if (this.#progress === "ended") return;
    if (this.#queue.length + messages.length > OUTBOX_MESSAGES_MAX) {
      return this.close({ code: 1011, reason: "Internal error encountered." });
    }
    this.#queue.push(...messages);
    this.#pump();
  }

  /** Ends the session after what is out already. */
  close(close: LiveClose): void {
    if (this.#progress === "ended") return;
    this.#progress = "ended";
    this.#events.close(close);
  }

  /** The connection is gone. */
  end(): void {
    this.#progress = "ended";
  }

  /** Goes on after a delay. */
  wake(): void {
    if (this.#progress !== "paused") return;
    this.#progress = "running";
    this.#pump();
  }

  /** Lets a held session go on. */
  release(): void {
    if (this.#progress !== "paused") return;
    this.#events.resumed();
    this.wake();
  }

  #pump(): void {
    while (this.#progress === "running") {
      const gate = this.#takeGate();
      if (gate !== undefined) this.#obey(gate);
      else if (!this.#writeNext()) return;
    }
  }

  #takeGate(): Gate | undefined {
    const index = this.#gates.findIndex(({ before }) => before === this.#sent);
    return index < 0 ? undefined : this.#gates.splice(index, 1)[0];
  }

  #writeNext(): boolean {
    const message = this.#queue.shift();
    if (message === undefined) return false;
    this.#sent += 1;
    this.#events.write(message);
    return true;
  }

  #obey({ action, ruleId }: Gate): void {
    switch (action.kind) {
      case "hold":
        this.#progress = "paused";
        return this.#events.held(ruleId);
      case "delay":
        this.#progress = "paused";
        return this.#wheel.schedule(this, this.#monotonicMs() + action.delayMs);
      case "reset":
        this.#progress = "ended";
        return this.#events.reset();
      case "close":
        return this.close(action.close);
      case "insert":
        // Not counted: a fault is not a message the model sent.
        return this.#events.write(action.message);
    }
  }
}

/** Where and how a fault acts on a session; those that only make sense for an answer do nothing. */
function gateOf({ fault, ruleId }: ActiveFault): readonly Gate[] {
  if (isSubstitute(fault)) return [];
  switch (fault.kind) {
    case "stall":
      return [{ before: fault.afterEvents ?? 0, ruleId, action: { kind: "hold" } }];
    case "slow-first-byte": {
      const { delayMs } = fault;
      return [
        { before: 0, ruleId, action: delayMs === undefined ? { kind: "hold" } : { kind: "delay", delayMs } },
      ];
    }
    case "reset":
      return [{ before: fault.afterEvents ?? 0, ruleId, action: { kind: "reset" } }];
    case "cut":
      return [
        { before: fault.afterEvents, ruleId, action: { kind: "close", close: { code: 1000, reason: "" } } },
      ];
    case "live-close": {
      const close = { code: fault.code, reason: fault.reason ?? "" };
      return [{ before: fault.afterEvents ?? 0, ruleId, action: { kind: "close", close } }];
    }
    case "live-go-away": {
      const message = goAwayMessage(fault.timeLeftSeconds);
      return [{ before: fault.afterEvents ?? 1, ruleId, action: { kind: "insert", message } }];
    }
    case "blocked-prompt":
    case "bytewise":
    case "candidates-missing":
    case "empty-stream":
    case "gzip":
    case "invalid-json":
    case "late-error-event":
    case "max-tokens-without-parts":
    case "no-finish-reason":
    case "raw-json-tail":
    case "stop-without-parts":
    case "thought-only":
    case "truncated-length":
    case "upload-break":
      return [];
  }
}

const TIME_LEFT_SECONDS_DEFAULT = 50;

/** The server's notice that the connection will end. */
export function goAwayMessage(timeLeftSeconds: number = TIME_LEFT_SECONDS_DEFAULT): object {
  return { goAway: { timeLeft: `${timeLeftSeconds}s` } };
}
