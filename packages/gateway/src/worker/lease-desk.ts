/**
 * Where a worker's requests get the key they may use: from the pocket at once when it holds one, else from the primary.
 * Worker threads. The pocket (core) decides how much to ask for; this shell keeps the queue of those who wait.
 */
import type { Denial, KeyId, LeaseId, LeaseWish, ProjectId } from "@gemini-gateway/core/lease";
import type { LeasePocket, LeaseUse } from "@gemini-gateway/core/lease-pocket";
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Trail } from "@gemini-gateway/core/retry-policy";
import { RESOURCES_PER_WISH_MAX } from "../affinity/messages.ts";
import type { GrantedLease, WishAnswer } from "../protocol.ts";
import type { SharedCounters } from "../shared-counters.ts";
import { isBound, loneWish } from "./lone-wish.ts";
import type { Outbox } from "./outbox.ts";

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
  /** A key whose project alone will do, for whoever knows it already. */
  readonly onlyProjectOf?: KeyId | undefined;
  /** A key whose project is to serve it where that can be lent at once. */
  readonly preference?: KeyId | undefined;
  leased(use: HeldUse): void;
  /** `owner` when the seeker named resources. */
  denied(denial: Denial, owner?: KnownOwner): void;
}

/** Requests of one worker that may wait for a key at once. */
const WAITING_MAX = 10_000;
/** Nobody asks again sooner after a denial, milliseconds: what was said is still in force. */
const ASK_AGAIN_MIN_MS = 10;
/** Waiting requests whose size a wish looks at. */
const SIZES_SEEN_MAX = 64;
/** What those beyond are told, milliseconds. */
const CROWDED_RETRY_MS = 1_000;

interface Waiting {
  readonly seeker: LeaseSeeker;
  timer: NodeJS.Timeout | undefined;
}

/** A wish on its way; `only` when it is for one seeker: one that tries again, or minds whose key it gets. */
interface OpenWish {
  readonly wish: LeaseWish;
  readonly only: Waiting | undefined;
}

export class LeaseDesk {
  readonly #pocket: LeasePocket;
  readonly #outbox: Outbox;
  readonly #counters: SharedCounters;
  readonly #now: () => number;
  /** Secrets of the keys lent to this worker so far; at most the pool's. */
  readonly #keys = new Map<KeyId, Pick<GrantedLease, "secret" | "fingerprint" | "projectId">>();
  readonly #waiting = new Map<LeaseSeeker, Waiting>();
  /** First attempts waiting, by lane, in order of arrival. */
  readonly #queues = new Map<string, Set<Waiting>>();
  readonly #wishes = new Map<number, OpenWish>();
  #lastWishId = 0;
  /** Whom to tell once every wish is answered; set while closing. */
  #closed: (() => void) | undefined;

  constructor(pocket: LeasePocket, outbox: Outbox, counters: SharedCounters, now: () => number) {
    this.#pocket = pocket;
    this.#outbox = outbox;
    this.#counters = counters;
    this.#now = now;
  }

  /** Gives the seeker a key now or later, or denies it. */
  seek(seeker: LeaseSeeker): void {
    const nowMs = this.#now();
    if (seeker.trail.excludedKeys.length > 0) {
      this.#wishAlone(this.#register(seeker));
      return;
    }
    const isTied = isBound(seeker);
    const use = isTied ? undefined : this.#takeFor(seeker, nowMs);
    if (use !== undefined) {
      this.#wishFor(seeker.lane, nowMs);
      seeker.leased(this.#held(use, nowMs));
    } else if (this.#waiting.size >= WAITING_MAX) {
      seeker.denied({ reason: "busy", retryAtMs: nowMs + CROWDED_RETRY_MS });
    } else if (isTied || seeker.preference !== undefined) {
      this.#wishAlone(this.#register(seeker));
    } else {
      this.#enqueue(this.#register(seeker), nowMs);
    }
  }

  /** The seeker no longer wants a key. */
  cancel(seeker: LeaseSeeker): void {
    const waiting = this.#waiting.get(seeker);
    if (waiting !== undefined) this.#forget(waiting);
  }

  /** Ends the use of a key with what came of it. `promptTokens` as the upstream counted them, if it did. */
  settle({ leaseId, startedAtMs }: HeldUse, outcome: Outcome, promptTokens?: number): void {
    const nowMs = this.#now();
    if (outcome.kind === "served") this.#pocket.served(leaseId, startedAtMs, promptTokens, nowMs);
    else if (promptTokens === undefined) this.#pocket.settle({ leaseId, outcome, startedAtMs }, nowMs);
    else this.#pocket.settle({ leaseId, outcome, startedAtMs, promptTokens }, nowMs);
    if (this.#pocket.areReportsDue(nowMs)) this.#outbox.atOnce();
    else this.#outbox.soon();
  }

  /** A use that goes on for long has shown that its key works: a trial need not wait for its end. */
  prove({ leaseId }: HeldUse): void {
    this.#outbox.proved(leaseId);
  }

  /** Takes in the primary's answers. */
  receive(answers: readonly WishAnswer[]): void {
    for (const answer of answers) {
      const open = this.#wishes.get(answer.wishId);
      this.#wishes.delete(answer.wishId);
      for (const { keyId, secret, fingerprint, projectId } of answer.leases)
        this.#keys.set(keyId, { secret, fingerprint, projectId });
      if (open === undefined) continue;
      if (open.only === undefined) this.#receiveForLane(answer, open.wish);
      else this.#receiveFor(open.only, answer);
    }
    this.#closeWhenAnswered();
  }

  /** The primary takes these leases back: what is left of them must not be started. */
  revoke(leaseIds: readonly LeaseId[]): void {
    const nowMs = this.#now();
    for (const leaseId of leaseIds) this.#pocket.revoke(leaseId, nowMs);
    this.#outbox.soon();
  }

  /** The pool has more to lend than it had. */
  poolGrew(): void {
    this.#pocket.forgetDenials();
  }

  /** Gives back what has expired; called now and then. */
  tick(): void {
    this.#pocket.tick(this.#now());
    this.#outbox.soon();
  }

  /**
   * Gives back everything unused, also what is still on its way; then calls `closed`, once. For a worker that takes no
   * more requests.
   */
  close(closed: () => void): void {
    this.#closed = closed;
    this.#closeWhenAnswered();
  }

  #closeWhenAnswered(): void {
    const closed = this.#closed;
    if (closed === undefined || this.#wishes.size > 0) return;
    this.#closed = undefined;
    this.#pocket.drain(this.#now());
    closed();
  }

  #receiveForLane({ leases, denial, model }: WishAnswer, wish: LeaseWish): void {
    const nowMs = this.#now();
    if (denial === undefined) this.#pocket.granted(wish, leases, nowMs);
    else this.#pocket.denied(wish, denial, nowMs);
    const queue = this.#queues.get(model);
    if (queue === undefined) return;
    for (const waiting of queue) {
      const use = this.#pocket.take(model, nowMs, this.#tokensOf(waiting.seeker));
      if (use === undefined) break;
      this.#forget(waiting);
      waiting.seeker.leased(this.#held(use, nowMs));
    }
    if (denial !== undefined) this.#postponeQueue(queue, denial);
    if (queue.size > 0) this.#wishFor(model, nowMs);
    if (queue.size === 0 && this.#queues.get(model) === queue) this.#queues.delete(model);
  }

  #receiveFor(waiting: Waiting, answer: WishAnswer): void {
    const {
      leases: [lease],
      denial,
    } = answer;
    const owner = ownerOf(answer);
    if (!this.#waiting.has(waiting.seeker)) {
      // The client left meanwhile.
      if (lease !== undefined) this.#settleUnused(lease);
      return;
    }
    if (lease === undefined) {
      this.#postponeOrDeny(waiting, denial ?? { reason: "busy" }, () => this.#wishAlone(waiting), owner);
      return;
    }
    this.#forget(waiting);
    const { id: leaseId, keyId, secret, fingerprint } = lease;
    const use = { leaseId, keyId, secret, fingerprint, startedAtMs: this.#now() };
    const { isElsewhere } = answer;
    waiting.seeker.leased({
      ...use,
      ...(owner === undefined ? {} : { owner }),
      ...(isElsewhere === undefined ? {} : { isElsewhere }),
    });
  }

  /** A use that came too late for its request ends as one whose caller has left. */
  #settleUnused(lease: GrantedLease): void {
    this.#pocket.settle({ leaseId: lease.id, outcome: { kind: "caller-left" } }, this.#now());
    this.#outbox.soon();
  }

  #postponeQueue(queue: Set<Waiting>, denial: Denial): void {
    const { tokensFrom = 0 } = denial;
    for (const waiting of queue) {
      if (tokensFrom > 0 && this.#tokensOf(waiting.seeker) < tokensFrom) continue;
      queue.delete(waiting);
      this.#postponeOrDeny(waiting, denial, () => this.#enqueue(waiting, this.#now()));
    }
  }

  #postponeOrDeny(waiting: Waiting, denial: Denial, again: () => void, owner?: KnownOwner): void {
    const { seeker } = waiting;
    const { usableAtMs } = denial;
    if (usableAtMs !== undefined && usableAtMs <= seeker.waitUntilMs) {
      waiting.timer = setTimeout(again, Math.max(ASK_AGAIN_MIN_MS, usableAtMs - this.#now()));
      return;
    }
    this.#forget(waiting);
    seeker.denied(denial, owner);
  }

  #register(seeker: LeaseSeeker): Waiting {
    const waiting: Waiting = { seeker, timer: undefined };
    this.#waiting.set(seeker, waiting);
    this.#counters.add("waiting", 1);
    return waiting;
  }

  #enqueue(waiting: Waiting, nowMs: number): void {
    const { lane } = waiting.seeker;
    const queue = this.#queues.get(lane) ?? new Set();
    this.#queues.set(lane, queue.add(waiting));
    if (this.#wishFor(lane, nowMs)) return;
    const denial = this.#pocket.denial(lane, nowMs, this.#tokensOf(waiting.seeker));
    if (denial !== undefined) this.#postponeQueue(queue, denial);
  }

  /** From the pocket: of the project that the seeker prefers, when it prefers one. */
  #takeFor(seeker: LeaseSeeker, nowMs: number): LeaseUse | undefined {
    const { lane, preference } = seeker;
    if (preference === undefined) return this.#pocket.take(lane, nowMs, this.#tokensOf(seeker));
    const projectId: ProjectId | undefined = this.#keys.get(preference)?.projectId;
    return projectId === undefined
      ? undefined
      : this.#pocket.takeOf(projectId, lane, nowMs, this.#tokensOf(seeker));
  }

  #wishAlone(waiting: Waiting): void {
    const wish = loneWish(waiting.seeker, this.#tokensOf(waiting.seeker));
    this.#send({ wish, only: waiting });
  }

  #wishFor(lane: string, nowMs: number): boolean {
    const queue = this.#queues.get(lane);
    const wish = this.#pocket.wish(lane, queue?.size ?? 0, nowMs, this.#largestOf(queue));
    if (wish === undefined) return false;
    this.#send({ wish, only: undefined });
    return true;
  }

  #send(open: OpenWish): void {
    this.#lastWishId += 1;
    this.#wishes.set(this.#lastWishId, open);
    const numbered = { wishId: this.#lastWishId, wish: open.wish };
    const resources = open.only?.seeker.resources?.slice(0, RESOURCES_PER_WISH_MAX) ?? [];
    this.#outbox.wish(resources.length === 0 ? numbered : { ...numbered, resources });
  }

  #forget(waiting: Waiting): void {
    const { seeker } = waiting;
    if (waiting.timer !== undefined) clearTimeout(waiting.timer);
    if (this.#waiting.delete(seeker)) this.#counters.subtract("waiting", 1);
    this.#queues.get(seeker.lane)?.delete(waiting);
  }

  /** Tokens of the request where keys are lent by size, else 0: reading a large body for them takes time. */
  #tokensOf(seeker: LeaseSeeker): number {
    return this.#pocket.isSized(seeker.lane) ? seeker.tokens : 0;
  }

  #largestOf(queue: ReadonlySet<Waiting> | undefined): number {
    let largest = 0;
    let seen = 0;
    for (const { seeker } of queue ?? []) {
      if (!this.#pocket.isSized(seeker.lane) || seen++ === SIZES_SEEN_MAX) break;
      largest = Math.max(largest, seeker.tokens);
    }
    return largest;
  }

  #held({ leaseId, keyId }: LeaseUse, nowMs: number): HeldUse {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new Error(`lease ${leaseId} is of a key this worker was never given`);
    const { secret, fingerprint } = key;
    return { leaseId, keyId, secret, fingerprint, startedAtMs: nowMs };
  }
}

function ownerOf({ owner, about = [], detail }: WishAnswer): KnownOwner | undefined {
  return owner === undefined ? undefined : { isKnown: owner === "known", resources: about, detail };
}
