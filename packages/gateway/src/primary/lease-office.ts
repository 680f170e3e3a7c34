/**
 * The counter at which workers get keys and bring back outcomes: applies their reports to the scheduler and answers
 * their wishes. Primary thread. Decides nothing: the scheduler (core) does.
 */
import type {
  Denial,
  HolderId,
  KeyId,
  Lease,
  LeaseId,
  LeaseWish,
  Settlement,
} from "@gemini-gateway/core/lease";
import type { Revocation } from "@gemini-gateway/core/scheduler/revocation";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { servedSettlements, type ServedUses } from "@gemini-gateway/core/served-uses";
import type { GrantedLease, NumberedWish, ToPrimary, ToWorker, WishAnswer } from "../protocol.ts";
import { RowList } from "../row-batch.ts";
import { nextPacificMidnightMs } from "@gemini-gateway/gemini/pacific-midnight";
import type { SteadyClock } from "../steady-clock.ts";
import type { AffinityOffice } from "./affinity/affinity-office.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Siblings } from "./siblings.ts";

export interface LeaseOfficeOptions {
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly post: (holder: HolderId, message: ToWorker) => void;
  readonly rows: (rows: RowList) => void;
  /** Hears of every use that ended, before the scheduler does; of those served, once for each lease in a report. */
  readonly heard: (settlement: Settlement) => void;
  readonly siblings: Pick<Siblings, "heard">;
  readonly affinity: Pick<AffinityOffice, "bind" | "preferring">;
  /** When a key that is out of service is tested next; undefined when nobody tests it. */
  readonly nextTestMs: (keyId: KeyId) => number | undefined;
  readonly clock: SteadyClock;
  /** Called after anything that may have changed whether a key can serve. */
  readonly changed: () => void;
}

/** A wall clock that drifts is not one that was set, milliseconds. */
const LEAD_IGNORED_MS = 1_000;

/** Keys of one project whose next test is looked for. */
const TESTS_SEEN_MAX = 64;

/** The end of the day for which Google counts, on a clock that the wall clock is ahead of by `leadMs`. */
export function quotaDayEndMs(leadMs: number, nowMs: number): number {
  return nextPacificMidnightMs(nowMs + leadMs) - leadMs;
}

export class LeaseOffice {
  readonly #options: LeaseOfficeOptions;
  /** How far the wall clock was ahead when last looked at. */
  #leadMs = 0;

  constructor(options: LeaseOfficeOptions) {
    this.#options = options;
  }

  /** Takes in one report. Failures are applied before wishes are answered, so that no retry gets the same fault. */
  receive(holder: HolderId, report: Extract<ToPrimary, { type: "report.send" }>): void {
    const { scheduler, rows, heard, changed, clock } = this.#options;
    const nowMs = clock.now();
    this.#settleServed(report.served, nowMs);
    for (const reported of report.settlements) {
      const settlement = this.#onOurDay(reported, nowMs);
      heard(settlement);
      this.#tellSiblings(settlement);
      this.revoke(scheduler.settle(settlement, nowMs).revoked);
    }
    for (const unused of report.returns) scheduler.giveBack(unused, nowMs);
    if (report.wishes.length > 0) this.#answer(holder, report.wishes, nowMs);
    // Logs tell the time that people see.
    if (report.rows !== undefined) rows(new RowList(report.rows, this.#leadMs));
    if (report.settlements.length > 0) changed();
  }

  #settleServed(served: ServedUses, nowMs: number): void {
    const { scheduler, heard } = this.#options;
    const told = new Set<LeaseId>();
    for (const settlement of servedSettlements(served)) {
      const { leaseId } = settlement;
      if (!told.has(leaseId)) heard(settlement);
      told.add(leaseId);
      this.revoke(scheduler.settle(settlement, nowMs).revoked);
    }
  }

  /** A use that goes on works. */
  proved(leaseId: LeaseId): void {
    const { scheduler, clock, changed } = this.#options;
    scheduler.prove(leaseId, clock.now());
    changed();
  }

  /** A worker is gone. */
  lost(holder: HolderId): void {
    this.#options.scheduler.releaseHolder(holder, this.#options.clock.now());
  }

  /** Lets time pass: rests end, leases expire. */
  tick(): void {
    const { scheduler, clock, changed } = this.#options;
    const nowMs = clock.now();
    const leadMs = clock.wallLeadMs;
    if (Math.abs(leadMs - this.#leadMs) > LEAD_IGNORED_MS) {
      this.#leadMs = leadMs;
      scheduler.quotaDayMoved(nowMs);
    }
    scheduler.tick(nowMs);
    changed();
  }

  /** Workers know the time, but not whether somebody has set the wall clock since. */
  #onOurDay(settlement: Settlement, nowMs: number): Settlement {
    const { outcome } = settlement;
    if (outcome.kind !== "quota-day" || Math.abs(this.#leadMs) <= LEAD_IGNORED_MS) return settlement;
    return { ...settlement, outcome: { ...outcome, untilMs: quotaDayEndMs(this.#leadMs, nowMs) } };
  }

  #tellSiblings({ leaseId, outcome }: Settlement): void {
    const leased = this.#options.scheduler.tests.leased(leaseId);
    if (leased !== undefined) this.#options.siblings.heard(leased.keyId, outcome);
  }

  #answer(holder: HolderId, wishes: readonly NumberedWish[], nowMs: number): void {
    const answers = wishes.map((numbered): WishAnswer => {
      if (numbered.resources !== undefined) return this.#answerBound(holder, numbered, nowMs);
      const { wishId } = numbered;
      const wish = this.#options.affinity.preferring(numbered.wish);
      const result = this.#options.scheduler.lease(holder, wish, nowMs);
      if ("denial" in result) return denied(wishId, wish.model, result.denial);
      const leases = result.leases.flatMap((lease) => this.#grant(lease));
      const answer = { wishId, model: wish.model, leases };
      return this.#isElsewhere(wish, leases[0]) ? { ...answer, isElsewhere: true } : answer;
    });
    this.#options.post(holder, { type: "lease.answer", answers });
  }

  /** Whether the wish prefers another project than it got. */
  #isElsewhere({ preferProjectOf }: LeaseWish, lease: Lease | undefined): boolean {
    if (preferProjectOf === undefined || lease === undefined) return false;
    return this.#options.scheduler.owners.projectIdOf(preferProjectOf) !== lease.projectId;
  }

  /** A wish that names resources: of their project alone, as far as that is known. */
  #answerBound(holder: HolderId, numbered: NumberedWish, nowMs: number): WishAnswer {
    const { affinity, scheduler } = this.#options;
    const { wish, denial, told } = affinity.bind(numbered);
    const result = denial === undefined ? scheduler.lease(holder, wish, nowMs) : { denial };
    const { wishId } = numbered;
    if ("denial" in result) {
      const honest = this.#whenTested(result.denial, wish.onlyProjectOf, nowMs);
      return { ...denied(wishId, wish.model, honest), ...told };
    }
    return {
      wishId,
      model: wish.model,
      leases: result.leases.flatMap((lease) => this.#grant(lease)),
      ...told,
    };
  }

  /** Where health tests try what is out of service, a project comes back by the next test of its keys. */
  #whenTested(denial: Denial, owner: KeyId | undefined, nowMs: number): Denial {
    const isOut = denial.reason === "billing" || denial.reason === "out-of-service";
    if (owner === undefined || !isOut) return denial;
    const { scheduler, nextTestMs } = this.#options;
    const keys = scheduler.owners.siblingsOf(owner, TESTS_SEEN_MAX);
    const moments = keys.map(nextTestMs).filter((atMs) => atMs !== undefined);
    return moments.length === 0 ? denial : { ...denial, retryAtMs: Math.max(nowMs, Math.min(...moments)) };
  }

  #grant(lease: Lease): GrantedLease[] {
    const key = this.#options.ring.get(lease.keyId);
    return key === undefined ? [] : [{ ...lease, secret: key.secret, fingerprint: key.fingerprint }];
  }

  /** Takes unused leases back from the workers that hold them. */
  revoke(revoked: readonly Revocation[]): void {
    if (revoked.length === 0) return;
    const byHolder = Map.groupBy(revoked, ({ holder }) => holder);
    for (const [holder, leases] of byHolder) {
      this.#options.post(holder, { type: "lease.revoke", leaseIds: leases.map(({ leaseId }) => leaseId) });
    }
  }
}

function denied(wishId: number, model: string, denial: Denial): WishAnswer {
  return { wishId, model, leases: [], denial };
}
