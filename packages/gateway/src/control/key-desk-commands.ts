/**
 * `keys enable|disable|reset` and `keys explain`: asked of the running gateway or, when none runs, done in its database.
 * Command line only. Must never create the database.
 */
import { UNTESTED_KEY } from "@gemini-gateway/core/key-health";
import { GOOD_STANDING } from "@gemini-gateway/core/project-standing";
import { ownProjectName } from "@gemini-gateway/core/scheduler/records";
import { existsSync } from "node:fs";
import { explainKey } from "../primary/explain-key.ts";
import { finish } from "../primary/keys/steps.ts";
import { keyStatesOf, laneStatesOf } from "../primary/stored-health.ts";
import { chosenKeys, wishRows } from "../primary/store/key-wishes.ts";
import type { KeyRow } from "../primary/store/rows.ts";
import { openStore, openStoreReader, type StoreReader } from "../primary/store/store.ts";
import { connectControl } from "./client.ts";
import type { KeyExplanation, KeyWishReport, KeyWishRequest } from "./key-desk-types.ts";
import { OperatorError } from "./operator-error.ts";

/** Takes effect at once in a running gateway, else at its next start. */
export async function wishKeys(database: string, request: KeyWishRequest): Promise<KeyWishReport> {
  const gateway = await connectControl(database);
  if (gateway !== undefined) return (await gateway.ask("POST", "/keys/wish", request)) as KeyWishReport;
  if (!existsSync(database)) throw noDatabase(database);
  using store = openStore(database);
  const { rows, unknown } = finish(chosenKeys(store.keys, request));
  for (const slice of wishRows(store, rows, request, Date.now)) void slice;
  return { wish: request.wish, changed: rows.length, unknown };
}

/** @throws OperatorError when there is no such key. */
export async function explainKeyOf(database: string, fingerprint: string): Promise<KeyExplanation> {
  const gateway = await connectControl(database);
  if (gateway !== undefined) {
    return (await gateway.ask("POST", "/keys/explain", { fingerprint })) as KeyExplanation;
  }
  using store = openStoreReader(database);
  if (store === undefined) throw noDatabase(database);
  const row = store.keys.byFingerprint(fingerprint);
  if (row === undefined) throw new OperatorError("bad-request", `No key has the fingerprint ${fingerprint}.`);
  return explainKey(storedKey(store, row));
}

/** What the last run left of a key. */
function storedKey(store: StoreReader, row: KeyRow): Parameters<typeof explainKey>[0] {
  const [state] = keyStatesOf([row]);
  const project = row.project ?? ownProjectName(row.id);
  // Without its quota: what was used is counted while a gateway runs.
  const lanes = laneStatesOf(store.models.load())
    .filter((lane) => lane.project === project)
    .map(({ model, state: laneState, lastServedMs }) => ({ model, state: laneState, lastServedMs }));
  return {
    row,
    health: state?.health ?? UNTESTED_KEY,
    standing: state?.standing ?? GOOD_STANDING,
    lanes,
    resources: store.resources.countOf([row.id]),
    pairs: store.tests.ofKey(row.id),
  };
}

function noDatabase(database: string): OperatorError {
  return new OperatorError("database-missing", `There is no database at ${database}: check --database.`);
}
