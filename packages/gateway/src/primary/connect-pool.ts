/**
 * Joins the pool of keys to those who use, test and change it: who hears of what was learnt, who revokes, who tells.
 * Primary thread; once at the start.
 */
import type { Revocation } from "@gemini-gateway/core/scheduler/revocation";
import type { SharedCounters } from "../shared-counters.ts";
import { Alerts } from "./alerts.ts";
import type { Ground } from "./ground.ts";
import { KeyDesk } from "./key-desk.ts";
import { LeaseOffice } from "./lease-office.ts";
import { PoolKeeper } from "./pool-keeper.ts";
import { openProbing, type Probing } from "./probing/open-probing.ts";
import type { Reporting } from "./reporting/reporting.ts";
import type { Supervisor } from "./supervisor.ts";
import type { ThreadEntries } from "./thread-entries.ts";

export function connectPool(
  ground: Ground,
  entries: ThreadEntries,
  supervisor: Supervisor,
  counters: SharedCounters,
  reporting: Reporting,
): {
  readonly pool: PoolKeeper;
  readonly office: LeaseOffice;
  readonly probing: Probing;
  readonly keyDesk: KeyDesk;
} {
  const { config, bookkeeper } = ground;
  const revoke = (revoked: readonly Revocation[]): void => office.revoke(revoked);
  const changed = (): void => pool.updateReadiness();
  const grew = (): void => supervisor.broadcast({ type: "pool.grew" });
  const probing = openProbing({ ...ground, entry: entries.prober, revoke, changed, grew });
  const pool: PoolKeeper = new PoolKeeper({
    ...ground,
    plan: probing.plan,
    counters,
    keysDir: config.keysDir,
    revoke,
    grew,
  });
  const alerts = new Alerts(ground);
  const office = new LeaseOffice({
    ...ground,
    post: (holder, message) => supervisor.post(holder, message),
    rows: (rows) => {
      bookkeeper.record(rows);
      reporting.record(rows);
    },
    heard: (settlement) => {
      probing.office.heard(settlement);
      if (settlement.outcome.kind === "served") return;
      alerts.heard(ground.scheduler.tests.leased(settlement.leaseId)?.keyId, settlement.outcome);
    },
    nextTestMs: (id) => probing.office.nextTestMs(id),
    changed,
  });
  const keyDesk = new KeyDesk({ ...ground, probing, revoke, changed, grew });
  return { pool, office, probing, keyDesk };
}
