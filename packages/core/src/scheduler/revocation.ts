/** What holders of leases must give back. Part of the scheduler, primary thread; plain data. */
import type { HolderId, LeaseId } from "../lease.ts";
import type { LentLease } from "./records.ts";

/** A holder that must give back what it has not started of a lease. */
export interface Revocation {
  readonly holder: HolderId;
  readonly leaseId: LeaseId;
}

export interface Revoked {
  readonly revoked: readonly Revocation[];
}

export const NOTHING_REVOKED: Revoked = { revoked: [] };

export function revocationsOf(leases: readonly LentLease[]): Revoked {
  if (leases.length === 0) return NOTHING_REVOKED;
  return { revoked: leases.map(({ holder, id }) => ({ holder, leaseId: id })) };
}
