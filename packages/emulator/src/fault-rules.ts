/**
 * Scripted faults: which calls a rule meets, how often, and by what chance. Pure but for its own counters; time is
 * passed in and chance is seeded, so that the same script meets the same calls in every run.
 */
import type { ErrorName } from "./named-errors.ts";
import type { HeaderMap } from "./reply.ts";

/** Which calls a rule meets; all that is stated must hold. */
export interface FaultMatch {
  readonly key?: string;
  readonly project?: string;
  /** As asked for in the request, without `models/`. */
  readonly model?: string;
  /** As in {@link Operation}: `generateContent`, `models.list`, `openai.chatCompletions` … */
  readonly operation?: string;
  readonly pathIncludes?: string;
  /** Skips this many calls that match all of the above. */
  readonly afterCalls?: number;
  /** Ends after this many calls that match all of the above, the skipped ones counted. */
  readonly untilCalls?: number;
  /** From and until (exclusive) this long after the emulator's start, milliseconds of its clock. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

/** Faults of what the model says: the same in every dialect. */
export type AnswerFault =
  | { readonly kind: "no-finish-reason" }
  | { readonly kind: "stop-without-parts" }
  | { readonly kind: "thought-only" }
  | { readonly kind: "max-tokens-without-parts" }
  | { readonly kind: "blocked-prompt" }
  | { readonly kind: "candidates-missing" };

/** Faults that answer in the model's place. */
export type SubstituteFault =
  | {
      readonly kind: "error";
      readonly error: ErrorName;
      /** In place of the recorded message. */
      readonly message?: string;
      /** In place of RetryInfo's delay, when the error has one; seconds. */
      readonly retryDelaySeconds?: number;
    }
  /** The suspended-key error, which repeats the whole key. The same as `error: "suspended"`. */
  | { readonly kind: "suspended-echo" }
  /** A 503 page of HTML, or of another status. */
  | { readonly kind: "html"; readonly status?: number }
  | {
      readonly kind: "custom";
      readonly status: number;
      /** Text as it is; anything else as pretty JSON. */
      readonly body?: unknown;
      readonly headers?: HeaderMap;
    };

/** Faults of the bytes and the connection. Counts are of events; a unary answer is one event. */
export type TransportFault =
  /** 200 and not one byte. */
  | { readonly kind: "empty-stream" }
  /** An error in the dialect's framing after some events, then a proper end. Default error `overloaded`. */
  | { readonly kind: "late-error-event"; readonly afterEvents?: number; readonly error?: ErrorName }
  /** A pretty-printed error outside any framing after some events, then a proper end. */
  | { readonly kind: "raw-json-tail"; readonly afterEvents?: number; readonly error?: ErrorName }
  /** Stops after some events with a proper end: no error, no finish. */
  | { readonly kind: "cut"; readonly afterEvents: number }
  /** RST. Without `afterEvents` before the headers; `midEvent` sends half of the next event first. */
  | { readonly kind: "reset"; readonly afterEvents?: number; readonly midEvent?: boolean }
  /** Silence until released or the client leaves. Without `afterEvents` before the headers. */
  | { readonly kind: "stall"; readonly afterEvents?: number }
  /** Headers wait for a release, or for `delayMs`. */
  | { readonly kind: "slow-first-byte"; readonly untilReleased?: true; readonly delayMs?: number }
  /** Splits every frame into pieces of this many bytes, each flushed before the next. Default 1. */
  | { readonly kind: "bytewise"; readonly bytes?: number }
  /** Compresses, streams too, whether or not the client asked. */
  | { readonly kind: "gzip" }
  /** Cuts the JSON of the first event in half, framing kept. */
  | { readonly kind: "invalid-json" }
  /** Declares more bytes than come, then closes. */
  | { readonly kind: "truncated-length" }
  /** RST after this many bytes of one request of a resumable upload; what came before is kept. */
  | { readonly kind: "upload-break"; readonly afterBytes: number }
  /**
   * Live only: a close frame after some messages of the server. Without `afterEvents` in place of `setupComplete`.
   * `stall`, `reset`, `cut`, `slow-first-byte` and `error` act on Live too, with the same counting.
   */
  | {
      readonly kind: "live-close";
      readonly code: number;
      readonly reason?: string;
      readonly afterEvents?: number;
    }
  /** Live only: a `goAway` after some messages of the server. Default 1: after `setupComplete`. */
  | { readonly kind: "live-go-away"; readonly timeLeftSeconds?: number; readonly afterEvents?: number };

export type Fault = AnswerFault | SubstituteFault | TransportFault;
export type FaultKind = Fault["kind"];

/** One scripted fault. Rules are tried in order; all that meet a call take part, up to the first substitute. */
export interface FaultRule {
  readonly match?: FaultMatch;
  /** Most calls it acts on. Default unlimited. */
  readonly times?: number;
  /** Chance of acting on a call it meets, 0..1. Default 1. */
  readonly probability?: number;
  /** Seed of that chance. Default 1. */
  readonly seed?: number;
  readonly fault: Fault;
}

/** What a rule can see of a call. */
export interface FaultSubject {
  readonly key: string;
  readonly project: string;
  readonly model: string;
  readonly operation: string;
  readonly path: string;
  readonly elapsedMs: number;
}

/** A rule that acts on a call. */
export interface ActiveFault {
  readonly ruleId: number;
  readonly fault: Fault;
}

/** Rules in force at one time. */
export const FAULT_RULES_MAX = 10_000;

interface RunningRule {
  readonly id: number;
  readonly rule: FaultRule;
  readonly chance: () => number;
  met: number;
  acted: number;
}

export class FaultRules {
  #rules: RunningRule[] = [];
  #nextId = 1;

  /** Adds a rule at the end and gives its id. Throws a RangeError above {@link FAULT_RULES_MAX}. */
  add(rule: FaultRule): number {
    if (this.#rules.length >= FAULT_RULES_MAX)
      throw new RangeError(`more than ${FAULT_RULES_MAX} fault rules`);
    const id = this.#nextId;
    this.#nextId += 1;
    this.#rules.push({ id, rule, chance: seededChance(rule.seed ?? 1), met: 0, acted: 0 });
    return id;
  }

  remove(id: number): void {
    this.#rules = this.#rules.filter((running) => running.id !== id);
  }

  clear(): void {
    this.#rules = [];
  }

  /**
   * The faults of one call; counts it against the rules it meets.
   * With `namedOnly` those rules alone that name the operation: for a moment of a call that is judged again later.
   */
  take(subject: FaultSubject, namedOnly = false): readonly ActiveFault[] {
    const active: ActiveFault[] = [];
    for (const running of this.#rules) {
      if (namedOnly && running.rule.match?.operation === undefined) continue;
      if (!acts(running, subject)) continue;
      active.push({ ruleId: running.id, fault: running.rule.fault });
      if (isSubstitute(running.rule.fault)) break;
    }
    return active;
  }
}

function acts(running: RunningRule, subject: FaultSubject): boolean {
  const { match = {}, times = Infinity, probability = 1 } = running.rule;
  if (!meets(match, subject) || !isInPlace(running.rule.fault, subject.operation)) return false;
  running.met += 1;
  const { afterCalls = 0, untilCalls = Infinity } = match;
  if (running.met <= afterCalls || running.met > untilCalls) return false;
  if (running.acted >= times || running.chance() >= probability) return false;
  running.acted += 1;
  return true;
}

/** Faults of one kind of call pass others by, without being used up. */
function isInPlace({ kind }: Fault, operation: string): boolean {
  if (kind === "upload-break") return operation === "upload.leg";
  if (kind === "live-close" || kind === "live-go-away") return operation.startsWith("live");
  return true;
}

function meets(match: FaultMatch, subject: FaultSubject): boolean {
  return (
    (match.key === undefined || match.key === subject.key) &&
    (match.project === undefined || match.project === subject.project) &&
    (match.model === undefined || match.model === subject.model) &&
    (match.operation === undefined || match.operation === subject.operation) &&
    (match.pathIncludes === undefined || subject.path.includes(match.pathIncludes)) &&
    (match.fromMs === undefined || subject.elapsedMs >= match.fromMs) &&
    (match.untilMs === undefined || subject.elapsedMs < match.untilMs)
  );
}

/** A small seeded generator (a 32-bit mix of a counter): repeatable is all it needs to be. */
function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

const ANSWER_KINDS: ReadonlySet<FaultKind> = new Set<AnswerFault["kind"]>([
  "no-finish-reason",
  "stop-without-parts",
  "thought-only",
  "max-tokens-without-parts",
  "blocked-prompt",
  "candidates-missing",
]);

const SUBSTITUTE_KINDS: ReadonlySet<FaultKind> = new Set<SubstituteFault["kind"]>([
  "error",
  "suspended-echo",
  "html",
  "custom",
]);

export function isAnswerFault(fault: Fault): fault is AnswerFault {
  return ANSWER_KINDS.has(fault.kind);
}

export function isSubstitute(fault: Fault): fault is SubstituteFault {
  return SUBSTITUTE_KINDS.has(fault.kind);
}
