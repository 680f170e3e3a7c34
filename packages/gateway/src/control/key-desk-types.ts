/**
 * What is said about single keys: the operator's wishes, explanations and tests. Plain data, as JSON. Both sides.
 * Must never hold a key: keys are named by their fingerprints.
 */
import type { ProbeAsk } from "@gemini-gateway/core/probing/ask";
import type { QuotaName } from "@gemini-gateway/core/quota/quota-limits";
import type { Evidence, OutcomeKind } from "@gemini-gateway/core/outcome";

/** Keys named one by one, or all there are. */
export interface KeySelection {
  readonly fingerprints: readonly string[];
  readonly all: boolean;
}

export type KeyWish = "enable" | "disable" | "reset";

export interface KeyWishRequest extends KeySelection {
  readonly wish: KeyWish;
  /** Why; shown by `keys explain`. Null for none. */
  readonly note: string | null;
}

export interface KeyWishReport {
  readonly wish: KeyWish;
  readonly changed: number;
  /** Fingerprints that name no key. */
  readonly unknown: readonly string[];
}

/** How a key, its project or one model of it stands. Moments are milliseconds since the epoch, null when not known. */
export interface Standing {
  /** `key`, `project`, or the name of a model. */
  readonly of: "key" | "project" | "model";
  readonly model: string | null;
  /** Whether it may serve now; a model may not while its key or project is out. */
  readonly isIn: boolean;
  /** What keeps it from serving whatever its own state: the operator's wish or, for a model, its key or project; else null. */
  readonly outWith: "operator" | "key" | "project" | null;
  /** The state's own name, such as `dead`, `quota-day`, `proven`. */
  readonly state: string;
  readonly reason: string | null;
  readonly sinceMs: number | null;
  readonly evidence: Evidence | null;
  /** When it is tried again, and by what. */
  readonly againAtMs: number | null;
  readonly againBy: "test" | "request" | "clock" | null;
  readonly lastServedMs: number | null;
  /** The project's quota on the model, as far as it is known; empty when it is not. */
  readonly limits: readonly KnownLimit[];
  readonly lastTest: LastTest | null;
}

export interface KnownLimit {
  readonly quota: QuotaName;
  readonly limit: number;
  /** Used by our own count, null where it is not told. */
  readonly used: number | null;
  /** `stated` by Google, `counted` by us when it refused, or `configured`. */
  readonly source: "stated" | "counted" | "configured";
}

/** The last thing learnt of a key on a model, in a test or by a request that was served. */
export interface LastTest {
  readonly outcome: OutcomeKind;
  readonly httpStatus: number;
  readonly atMs: number;
}

export interface KeyExplanation {
  readonly fingerprint: string;
  readonly project: string | null;
  readonly file: string | null;
  readonly isEnabled: boolean;
  readonly note: string | null;
  readonly notedAtMs: number | null;
  /** Resources known to be of its project (of the key alone, while no gateway runs). */
  readonly resources: number;
  /** The key, its project when that is out, then its models. */
  readonly standings: readonly Standing[];
}

export interface TestRequest extends KeySelection {
  /** Models to test on; the configured ones when empty. */
  readonly models: readonly string[];
  /** Tests at once; the configured number when null. */
  readonly concurrency: number | null;
  readonly ask: ProbeAsk | "auto";
}

/** The end of one test, as it is told. */
export interface TestResultLine {
  readonly type: "result";
  readonly done: number;
  readonly total: number;
  readonly fingerprint: string;
  /** Null when the key itself was asked. */
  readonly model: string | null;
  readonly ask: ProbeAsk;
  readonly outcome: OutcomeKind;
  readonly httpStatus: number;
  readonly reason: string;
  readonly durationMs: number;
}

/** Progress of a run of tests, a line each. */
export type TestLine =
  | { readonly type: "planned"; readonly total: number }
  | TestResultLine
  /** Not asked: known to work, disabled, or tried by someone else at this moment. */
  | { readonly type: "skipped"; readonly done: number; readonly total: number; readonly fingerprint: string }
  /** The last line. `serving`: keys that worked on a model, now or when last seen. */
  | {
      readonly type: "ended";
      readonly tested: number;
      readonly serving: number;
      /** Keys that were asked for and not tested because the operator disabled them. */
      readonly disabled: number;
      readonly unknown: readonly string[];
    };

/** What the primary supplies. Each may throw an OperatorError, whose message is passed on. */
export interface KeyDeskHandlers {
  wish(request: KeyWishRequest): Promise<KeyWishReport>;
  explain(fingerprint: string): KeyExplanation;
  /** Ends early, with the line `ended`, when the signal aborts. */
  test(request: TestRequest, signal: AbortSignal): AsyncIterable<TestLine>;
}
