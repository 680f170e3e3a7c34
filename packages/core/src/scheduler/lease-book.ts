/**
 * The leases in force: which holder may still start or is running how many uses of which key. Counts every use from the
 * moment it is lent to its one end: settled, returned, or lost with its holder.
 * Part of the scheduler, primary thread. It knows nothing of states and makes no choice.
 */
import type { HolderId, KeyId, Lease, LeaseId } from "../lease.ts";
import type { Charge } from "../quota/lane-quota.ts";
import { USE_LOST_MS } from "./options.ts";
import type { Lane, LentLease, Model, PooledKey } from "./records.ts";

/** Uses since the start; `lent = settled + returned + lost + outstanding` at any time. */
export interface UseCounts {
  lent: number;
  settled: number;
  returned: number;
  lost: number;
}

export interface LeaseRequest {
  readonly holder: HolderId;
  readonly key: PooledKey;
  readonly lane: Lane;
  readonly lentAt: number;
  readonly untilMs: number;
  readonly isTrial: boolean;
  readonly charge: Charge;
}

export class LeaseBook {
  /** Oldest first: all leases last about equally long. */
  readonly leases = new Map<LeaseId, LentLease>();
  readonly holders = new Map<HolderId, Set<LentLease>>();
  readonly counts: UseCounts = { lent: 0, settled: 0, returned: 0, lost: 0 };
  #nextId: LeaseId = 1;

  get outstanding(): number {
    const { lent, settled, returned, lost } = this.counts;
    return lent - settled - returned - lost;
  }

  /** Opens a lease without uses: {@link addUses} follows at once. */
  open(request: LeaseRequest): LentLease {
    const { holder, key, lane, lentAt, untilMs, isTrial, charge } = request;
    const older = lane.newestLease;
    // Written out: copying what is not known beforehand costs more than all else here.
    const lease: LentLease = {
      id: this.#nextId++,
      holder,
      key,
      lane,
      lentAt,
      untilMs,
      isTrial,
      charge,
      lent: 0,
      outstanding: 0,
      isRevoked: false,
      older,
      newer: undefined,
    };
    if (older !== undefined) older.newer = lease;
    lane.newestLease = lease;
    this.leases.set(lease.id, lease);
    const held = this.holders.get(lease.holder);
    if (held === undefined) this.holders.set(lease.holder, new Set([lease]));
    else held.add(lease);
    return lease;
  }

  /** More uses of a lease that has not been handed out yet. */
  addUses(lease: LentLease, uses: number): void {
    lease.lent += uses;
    lease.outstanding += uses;
    lease.lane.inFlight += uses;
    lease.lane.model.inFlight += uses;
    lease.key.inFlight += uses;
    this.counts.lent += uses;
  }

  /** Ends up to `uses` uses of the lease and closes it with the last. Returns how many ended. */
  endUses(lease: LentLease, uses: number, how: "settled" | "returned" | "lost"): number {
    const ended = Math.min(Math.max(Math.trunc(uses), 0), lease.outstanding);
    lease.outstanding -= ended;
    lease.lane.inFlight -= ended;
    lease.lane.model.inFlight -= ended;
    lease.key.inFlight -= ended;
    this.counts[how] += ended;
    if (lease.outstanding === 0) this.#close(lease);
    return ended;
  }

  /** Leases of a holder, as they are now. */
  heldBy(holder: HolderId): readonly LentLease[] {
    return [...(this.holders.get(holder) ?? [])];
  }

  /** The oldest lease, if its uses must be given up as lost by now. */
  takeLost(nowMs: number): LentLease | undefined {
    const oldest = this.leases.values().next().value;
    return oldest !== undefined && oldest.untilMs + USE_LOST_MS <= nowMs ? oldest : undefined;
  }

  /** Marks and returns the lane's leases (of one key, or of all) whose unstarted uses must come back. */
  revoke(lane: Lane, keyId: KeyId | undefined, nowMs: number): LentLease[] {
    const revoked: LentLease[] = [];
    // Leases of a lane stand newest first: behind one that has run out, all have, or will in a few seconds.
    for (let lease = lane.newestLease; lease !== undefined; lease = lease.older) {
      if (lease.untilMs <= nowMs) break;
      if (lease.isRevoked || (keyId !== undefined && lease.key.id !== keyId)) continue;
      lease.isRevoked = true;
      revoked.push(lease);
    }
    return revoked;
  }

  /**
   * Marks and returns all leases of the model whose unstarted uses must come back. One step per lease in force, which
   * is for the rare moment when a storm begins: the holders' pockets are full of keys that are in doubt now.
   */
  revokeModel(model: Model, nowMs: number): LentLease[] {
    const revoked: LentLease[] = [];
    for (const lease of this.leases.values()) {
      if (lease.isRevoked || lease.lane.model !== model || lease.untilMs <= nowMs) continue;
      lease.isRevoked = true;
      revoked.push(lease);
    }
    return revoked;
  }

  #close(lease: LentLease): void {
    this.leases.delete(lease.id);
    if (lease.newer === undefined) lease.lane.newestLease = lease.older;
    else lease.newer.older = lease.older;
    if (lease.older !== undefined) lease.older.newer = lease.newer;
    const held = this.holders.get(lease.holder);
    held?.delete(lease);
    if (held?.size === 0) this.holders.delete(lease.holder);
  }
}

/** The lease as its holder sees it. */
export function leaseOf(lease: LentLease): Lease {
  const { id, key, lane, lent, untilMs, charge } = lease;
  const plain = {
    id,
    keyId: key.id,
    projectId: lane.project.id,
    model: lane.model.name,
    uses: lent,
    untilMs,
  };
  return lane.quota?.limits.tokensPerMinute === undefined ? plain : { ...plain, tokensMax: charge.tokens };
}
