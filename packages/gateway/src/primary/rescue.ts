/**
 * Puts what the gateway still knows into a database that took the place of one that was lost. Primary thread.
 * What memory does not hold (the request log, keys retired long ago) is in the file that was set aside, or gone.
 */
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { Logger } from "pino";
import { systemCodeOf } from "../control/operator-error.ts";
import type { BanRow } from "./store/ban-table.ts";
import type { ClientRow } from "./store/client-rows.ts";
import type { KeyRing } from "./key-ring.ts";
import type { KeySync } from "./keys/key-sync.ts";
import type { RememberedKey } from "./store/adopt-keys.ts";
import type { DurableStore } from "./store/durable-store.ts";

export interface RescueOptions {
  readonly store: DurableStore;
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly keySync: Pick<KeySync, "knownKeys">;
  readonly guard: {
    readonly bans: { list(): readonly BanRow[] };
    readonly clients: { list(): readonly ClientRow[] };
  };
  readonly affinity: { forgetStored(): void };
  readonly log: Logger;
  readonly now: () => number;
}

/** To be called when the store says that the database was replaced. Never throws. */
export function rescue(options: RescueOptions): void {
  const { store, scheduler, guard, log } = options;
  try {
    store.adoptKeys(rememberedKeys(options));
    store.bans.change(guard.bans.list(), []);
    const stored = new Set(store.clients.load().map(({ name }) => name));
    for (const client of guard.clients.list()) if (!stored.has(client.name)) store.clients.insert(client);
  } catch (error) {
    log.error({ code: systemCodeOf(error) }, "not everything in memory could be put into the new database");
  }
  // Written by and by, as all that is learnt.
  scheduler.forgetStored();
  options.affinity.forgetStored();
}

function* rememberedKeys({ keySync, ring, scheduler, now }: RescueOptions): Generator<RememberedKey> {
  for (const { id, secret, label, sourceFile, isRetired } of keySync.knownKeys) {
    const fingerprint = ring.get(id)?.fingerprint;
    if (isRetired || fingerprint === undefined) continue;
    const enabled = scheduler.keyView(id, now())?.isEnabled ?? true;
    yield { id, secret, fingerprint, label, sourceFile, enabled };
  }
}
