/**
 * The scheduler's counter for health tests: lends one very key, in service or not, and takes the outcome back. A test
 * takes the same trial slot as a caller's request. Part of the scheduler, primary thread.
 */
import { isLaneOpen } from "../lane.ts";
import type { HolderId, KeyId, Lease, LeaseId } from "../lease.ts";
import { isOutOfService } from "../probing/ask.ts";
import type { TestSubject } from "../probing/ask.ts";
import type { Choice } from "./choice.ts";
import { leaseOf } from "./lease-book.ts";
import type { Ledger } from "./ledger.ts";
import type { LentLease } from "./records.ts";
import { NOTHING_REVOKED, revocationsOf } from "./revocation.ts";
import type { Revoked } from "./revocation.ts";
import { settleTestUse } from "./settling.ts";
import { forgetObservations, testChoice, testSubjectOf } from "./testing.ts";
import type { TestSettlement } from "./testing.ts";

/** What the scheduler does for tests and requests alike. */
export interface TestLender {
  /** The time that has come; never before the last one. */
  readonly advance: (nowMs: number) => number;
  readonly open: (holder: HolderId, choice: Choice, nowMs: number) => LentLease;
}

export class KeyTests {
  readonly #ledger: Ledger;
  readonly #lender: TestLender;

  constructor(ledger: Ledger, lender: TestLender) {
    this.#ledger = ledger;
    this.#lender = lender;
  }

  /**
   * Whether tests alone try the keys and projects that are out of service, so that no request is spent on it. A lane's
   * own trials (an exhausted day, a closed model) stay with the requests, which lose nothing when one succeeds.
   */
  set areOnlyTrials(areOnly: boolean) {
    this.#ledger.pool.areTrialsTests = areOnly;
  }

  /** When the next of those tests is, so that whoever is refused hears of it; milliseconds since the epoch. */
  set nextTrialAtMs(atMs: number | undefined) {
    this.#ledger.pool.nextTestAtMs = atMs;
  }

  /**
   * Lends one use of the key. Nothing while it is disabled, or while another use tries the same key, project or lane.
   * Ends with {@link settle}, or unused like any lease.
   */
  lease(holder: HolderId, id: KeyId, modelName: string, nowMs: number): Lease | undefined {
    const now = this.#lender.advance(nowMs);
    const key = this.#ledger.pool.keys.get(id);
    const model = key === undefined ? undefined : this.#ledger.shelf.asked(modelName, now);
    if (key === undefined || model === undefined) return undefined;
    const choice = testChoice(this.#ledger, model, key);
    return choice === undefined ? undefined : leaseOf(this.#lender.open(holder, choice, now));
  }

  /** Ends a test with its outcome. Unknown leases are ignored. */
  settle(test: TestSettlement, nowMs: number): Revoked {
    const now = this.#lender.advance(nowMs);
    const lease = this.#ledger.book.leases.get(test.leaseId);
    if (lease === undefined) return NOTHING_REVOKED;
    return revocationsOf(settleTestUse(this.#ledger, lease, test, now));
  }

  /** What a test needs to know of a key on a model; undefined when there is no such key. Cheap. */
  subject(id: KeyId, modelName: string): TestSubject | undefined {
    return testSubjectOf(this.#ledger, id, modelName);
  }

  /** True when the key is enabled and in service, and nothing keeps it from serving the model. */
  canServe(id: KeyId, modelName: string): boolean {
    const subject = this.subject(id, modelName);
    if (subject === undefined || !subject.isEnabled || isOutOfService(subject)) return false;
    return subject.lane === undefined || isLaneOpen(subject.lane);
  }

  /** Whom a lease in force was lent for; undefined when it has ended. Cheap. */
  leased(leaseId: LeaseId): { readonly keyId: KeyId; readonly model: string } | undefined {
    const lease = this.#ledger.book.leases.get(leaseId);
    return lease === undefined ? undefined : { keyId: lease.key.id, model: lease.lane.model.name };
  }

  /** Forgets what was observed of a key, its project and their lanes; what the operator wants stays. */
  forget(id: KeyId, nowMs: number): void {
    const now = this.#lender.advance(nowMs);
    const key = this.#ledger.pool.keys.get(id);
    if (key !== undefined) forgetObservations(this.#ledger, key, now);
  }
}
