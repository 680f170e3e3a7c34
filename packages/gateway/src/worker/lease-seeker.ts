/** Whoever wants a key, and what it gets: the two sides of a worker's lease desk. Worker threads. */
import type { Denial, KeyId, LeaseId } from "@gemini-gateway/core/lease";
import type { Trail } from "@gemini-gateway/core/retry-policy";

/** One use of a lease, in the hands of one attempt. */
export interface HeldUse {
  readonly leaseId: LeaseId;
  readonly keyId: KeyId;
  readonly secret: string;
  readonly fingerprint: string;
  /** When the attempt began, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The seeker prefers a project, and this key is of another. */
  readonly isElsewhere?: true;
  /** What the primary knows of the resources that the seeker named; undefined when it named none. */
  readonly owner?: KnownOwner;
}

/** See `WishAnswer`. */
export interface KnownOwner {
  /** False: of none of the resources the owner is known, and the key may be of the wrong project. */
  readonly isKnown: boolean;
  /** The resources whose owner is known, or that a denial is about. */
  readonly resources: readonly string[];
  /** What was kept with one of them. */
  readonly detail: string | undefined;
}

/** Whoever waits for a key. Exactly one of `leased` and `denied` is called, once, unless it was cancelled. */
export interface LeaseSeeker {
  /** What the quota is counted by: a model, or a name for requests without one. */
  readonly lane: string;
  readonly trail: Trail;
  /** Until when it is worth waiting for a key that is about to return; milliseconds since the epoch. */
  readonly waitUntilMs: number;
  /** Input tokens of the request, guessed rather too high; asked only where keys are lent by size. */
  readonly tokens: number;
  /** Canonical names of what the request names and only one project can see: it gets a key of that one, or none. */
  readonly resources?: readonly string[] | undefined;
  /** It is denied a key, with `isKnown` false, when nobody knows whose they are. */
  readonly isKnownOnly?: boolean;
  /** A key whose project alone will do: it is known already, or others were tried. */
  readonly onlyProjectOf?: KeyId | undefined;
  /** A key whose project is to serve it where that can be lent at once. */
  readonly preference?: KeyId | undefined;
  leased(use: HeldUse): void;
  /** `owner` when the seeker named resources. */
  denied(denial: Denial, owner?: KnownOwner): void;
}
