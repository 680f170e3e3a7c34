/**
 * The words in which keys are lent: shared by the scheduler (primary thread) and the pocket (worker threads).
 * Pure data.
 */
import type { Outcome } from "./outcome.ts";

/** Key id: the row id of the key store; stable for the life of the database. */
export type KeyId = number;
/** Thread id of the worker that holds a lease. */
export type HolderId = number;
export type LeaseId = number;
/** Tells the projects of one run apart: whole numbers from 1, never given to another project. */
export type ProjectId = number;

/** The right to start `uses` requests with one key for one model until `untilMs`. A started use may end later. */
export interface Lease {
  readonly id: LeaseId;
  readonly keyId: KeyId;
  /** The project the key was of when it was lent. */
  readonly projectId: ProjectId;
  readonly model: string;
  readonly uses: number;
  /** After this moment no use may be started; milliseconds since the epoch. */
  readonly untilMs: number;
  /**
   * Most input tokens a request may have that uses it, as far as can be guessed; undefined when the key's quota does not
   * count them.
   */
  readonly tokensMax?: number;
}

/** What a worker asks for one model in one go. */
export interface LeaseWish {
  readonly model: string;
  /** Uses wanted, 1..{@link LEASE_USES_MAX}. */
  readonly uses: number;
  /** How many of them no request waits for yet: lent only where much of the quota is left. */
  readonly inAdvance?: number;
  /** Input tokens of the largest request that waits, guessed rather too high; undefined when nobody counts them. */
  readonly tokens?: number;
  /** Keys this request has tried already; only on a retry, and then `uses` is 1. */
  readonly excludedKeys?: readonly KeyId[];
  /** Projects this request must avoid are those of these keys. Subset of `excludedKeys`. */
  readonly excludedProjectsOf?: readonly KeyId[];
  /**
   * Only keys of this key's project will do: the request names what belongs to it. Then `uses` is 1, and the excluded keys
   * are avoided only while the project has others.
   */
  readonly onlyProjectOf?: KeyId;
  /** A key of this key's project where one can be lent at once, else any. Then `uses` is 1. */
  readonly preferProjectOf?: KeyId;
}

/** Why nothing could be lent. `quota` makes a 429, what no waiting cures a 4xx, the others a 503. */
export type DenialReason =
  | "no-keys"
  | "quota"
  | "billing"
  | "resting"
  | "out-of-service"
  | "busy"
  | "model-unavailable"
  /** The project that the request is bound to has no key in use any more. */
  | "owner-gone"
  /** The request is bound to several projects at once. */
  | "owners-differ";

export interface Denial {
  readonly reason: DenialReason;
  /** `owner`: only the project that the request is bound to is meant; all of the pool when absent. */
  readonly scope?: "owner";
  /** The nearest moment at which a key is expected back; undefined when none is in sight. Milliseconds since the epoch. */
  readonly retryAtMs?: number;
  /**
   * The nearest moment at which a key that this very wish may use ends its rest: never later news than `retryAtMs`,
   * but without the keys the request has tried. Undefined when there is none to wait for.
   */
  readonly usableAtMs?: number;
  /** Only requests of at least so many input tokens are meant; undefined when all are. */
  readonly tokensFrom?: number;
}

/** What a wish is answered with. */
export type LeaseAnswer = { readonly leases: readonly Lease[] } | { readonly denial: Denial };

/** The end of one use: the outcome of the attempt it paid for. */
export interface Settlement {
  readonly leaseId: LeaseId;
  readonly outcome: Outcome;
  /** When the request was sent, milliseconds since the epoch. */
  readonly startedAtMs?: number;
  /** Input tokens, where the answer counts them. */
  readonly promptTokens?: number;
}

/** Uses of one lease that were never started. */
export interface Return {
  readonly leaseId: LeaseId;
  readonly uses: number;
}

/** Most uses one wish may ask for. */
export const LEASE_USES_MAX = 256;
