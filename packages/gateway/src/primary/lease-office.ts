/**
 * The counter at which workers get keys and bring back outcomes: applies their reports to the scheduler and answers
 * their wishes. Primary thread. Decides nothing: the scheduler (core) does.
 */
import type { Denial, HolderId, Lease, Settlement } from "@gemini-gateway/core/lease";
import type { Revocation } from "@gemini-gateway/core/scheduler/revocation";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { GrantedLease, NumberedWish, RequestRow, ToPrimary, ToWorker, WishAnswer } from "../protocol.ts";
import type { KeyRing } from "./key-ring.ts";

export interface LeaseOfficeOptions {
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly post: (holder: HolderId, message: ToWorker) => void;
  readonly rows: (rows: readonly RequestRow[]) => void;
  /** Hears of every use that ended, before the scheduler does. */
  readonly heard: (settlement: Settlement) => void;
  /** Called after anything that may have changed whether a key can serve. */
  readonly changed: () => void;
  readonly now: () => number;
}

export class LeaseOffice {
  readonly #options: LeaseOfficeOptions;

  constructor(options: LeaseOfficeOptions) {
    this.#options = options;
  }

  /** Takes in one report. Failures are applied before wishes are answered, so that no retry gets the same fault. */
  receive(holder: HolderId, report: Extract<ToPrimary, { type: "report.send" }>): void {
    const { scheduler, rows, heard, changed, now } = this.#options;
    const nowMs = now();
    let failures = 0;
    for (const settlement of report.settlements) {
      if (settlement.outcome.kind !== "served") failures += 1;
      heard(settlement);
      this.revoke(scheduler.settle(settlement, nowMs).revoked);
    }
    for (const unused of report.returns) scheduler.giveBack(unused, nowMs);
    if (report.wishes.length > 0) this.#answer(holder, report.wishes, nowMs);
    if (report.rows.length > 0) rows(report.rows);
    if (failures > 0) changed();
  }

  /** A worker is gone. */
  lost(holder: HolderId): void {
    this.#options.scheduler.releaseHolder(holder, this.#options.now());
  }

  /** Lets time pass: rests end, leases expire. */
  tick(): void {
    this.#options.scheduler.tick(this.#options.now());
    this.#options.changed();
  }

  #answer(holder: HolderId, wishes: readonly NumberedWish[], nowMs: number): void {
    const answers = wishes.map(({ wishId, wish }): WishAnswer => {
      const result = this.#options.scheduler.lease(holder, wish, nowMs);
      if ("denial" in result) return denied(wishId, wish.model, result.denial);
      return { wishId, model: wish.model, leases: result.leases.flatMap((lease) => this.#grant(lease)) };
    });
    this.#options.post(holder, { type: "lease.answer", answers });
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
