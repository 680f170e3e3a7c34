/**
 * The simulation's own count of every use, kept apart from the scheduler's: what was lent, started, ended and returned.
 * Throws on the first use that is lent beyond a limit, started twice or too late, lost, or ended twice.
 */
import type { HolderId, KeyId, Lease, LeaseId, LeaseWish, ProjectId } from "../src/lease.ts";

interface AuditedLease {
  readonly holder: HolderId;
  /** Project and model. */
  readonly lane: string;
  readonly lent: number;
  readonly untilMs: number;
  started: number;
  settled: number;
  returned: number;
  isGone: boolean;
}

export class UseAudit {
  readonly #projectOf: Map<KeyId, string>;
  readonly #concurrencyMax: number;
  readonly #leases = new Map<LeaseId, AuditedLease>();
  readonly #projectIds = new Map<ProjectId, string | undefined>();
  /** Uses lent and not ended by lane, as the primary was told. */
  readonly #inFlight = new Map<string, number>();
  /** Uses running at the upstream, by lease. */
  readonly #running = new Map<LeaseId, number>();

  constructor(
    keys: readonly { readonly id: KeyId; readonly project: string | undefined }[],
    concurrencyMax: number,
  ) {
    this.#projectOf = new Map(keys.map(({ id, project }) => [id, project ?? `key:${id}`]));
    this.#concurrencyMax = concurrencyMax > 0 ? concurrencyMax : Number.POSITIVE_INFINITY;
  }

  addKey(id: KeyId, project: string | undefined): void {
    this.#projectOf.set(id, project ?? `key:${id}`);
  }

  lent(holder: HolderId, leases: readonly Lease[], wish: LeaseWish): void {
    const uses = leases.reduce((sum, lease) => sum + lease.uses, 0);
    const least = wish.inAdvance === wish.uses ? 0 : 1;
    must(uses >= least && uses <= wish.uses, `${uses} uses lent for a wish of ${wish.uses}`);
    for (const lease of leases) {
      must(!this.#leases.has(lease.id), `lease ${lease.id} lent twice`);
      const project = this.#projectOf.get(lease.keyId);
      if (wish.onlyProjectOf !== undefined) {
        must(
          project === this.#projectOf.get(wish.onlyProjectOf),
          `key ${lease.keyId} lent to a request that is bound to the project of key ${wish.onlyProjectOf}`,
        );
      } else {
        must(
          !wish.excludedKeys?.includes(lease.keyId),
          `key ${lease.keyId} lent to a request that has tried it`,
        );
      }
      this.#checkProjectId(project, lease.projectId);
      const lane = `${project} ${lease.model}`;
      const { uses: lent, untilMs } = lease;
      this.#leases.set(lease.id, {
        holder,
        lane,
        lent,
        untilMs,
        started: 0,
        settled: 0,
        returned: 0,
        isGone: false,
      });
      this.#change(lane, lent);
    }
  }

  started(leaseId: LeaseId, nowMs: number): void {
    const lease = this.#lease(leaseId);
    must(lease.started + lease.returned < lease.lent, `lease ${leaseId} started more often than lent`);
    must(nowMs <= lease.untilMs, `lease ${leaseId} started after its end`);
    lease.started++;
    this.#running.set(leaseId, (this.#running.get(leaseId) ?? 0) + 1);
  }

  stopped(leaseId: LeaseId): void {
    this.#running.set(leaseId, (this.#running.get(leaseId) ?? 0) - 1);
  }

  settled(leaseId: LeaseId): void {
    const lease = this.#lease(leaseId);
    must(!lease.isGone, `lease ${leaseId} settled by a holder that is gone`);
    lease.settled++;
    must(lease.settled <= lease.started, `lease ${leaseId} settled more often than started`);
    this.#change(lease.lane, -1);
  }

  returned(leaseId: LeaseId, uses: number): void {
    const lease = this.#lease(leaseId);
    lease.returned += uses;
    must(lease.started + lease.returned <= lease.lent, `lease ${leaseId} returned more often than lent`);
    this.#change(lease.lane, -uses);
  }

  holderGone(holder: HolderId): void {
    for (const lease of this.#leases.values()) {
      if (lease.holder !== holder || lease.isGone) continue;
      lease.isGone = true;
      this.#change(lease.lane, -(lease.lent - lease.settled - lease.returned));
    }
  }

  /** Every use lent has come to its one end. */
  checkAllEnded(): void {
    for (const [id, { lent, settled, returned, isGone }] of this.#leases) {
      must(
        isGone || settled + returned === lent,
        `lease ${id}: ${settled} settled, ${returned} returned of ${lent}`,
      );
    }
    for (const [lane, inFlight] of this.#inFlight)
      must(inFlight === 0, `${inFlight} uses of ${lane} never ended`);
    for (const [id, running] of this.#running) must(running === 0, `lease ${id} still runs`);
  }

  /** Its number stands for one project and no other. */
  #checkProjectId(project: string | undefined, id: ProjectId): void {
    const known = this.#projectIds.get(id) ?? project;
    must(known === project, `${id} is the number of ${known} and of ${project}`);
    this.#projectIds.set(id, project);
  }

  #lease(leaseId: LeaseId): AuditedLease {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) throw new Error(`lease ${leaseId} was never lent`);
    return lease;
  }

  #change(lane: string, uses: number): void {
    const inFlight = (this.#inFlight.get(lane) ?? 0) + uses;
    must(inFlight >= 0, `${lane} has ${inFlight} uses in flight`);
    must(inFlight <= this.#concurrencyMax, `${lane} has ${inFlight} uses in flight, over its limit`);
    this.#inFlight.set(lane, inFlight);
  }
}

function must(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
