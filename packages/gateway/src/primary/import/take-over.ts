/**
 * Carries an import out: all of it, or nothing. Command line, on the files of a gateway that does not run; the lock of the
 * database sees to that. Never prints or returns a key.
 */
import { OperatorError } from "../../control/operator-error.ts";
import { addKeys, removeKeys } from "../keys/edit-files.ts";
import { labelLine } from "../keys/key-file.ts";
import type { KeyRow } from "../store/rows.ts";
import { openStore, type OpenStore } from "../store/store.ts";
import { stageConfigFile } from "./config-file.ts";
import { type ImportPlan, type PlannedKey, planImport } from "./import-plan.ts";
import type { ImportReport, StateCounts } from "./import-report.ts";
import { type OriginalInstallation, readKeys, readOriginal } from "./original-installation.ts";

export interface ImportOptions {
  /** The original's folder. */
  readonly path: string;
  /** Ours. */
  readonly keysDir: string;
  readonly database: string;
  /** The configuration file to write. */
  readonly configFile: string;
  /** Whether a configuration file that is there may be replaced. */
  readonly isForced: boolean;
  /** Only say what would be done. */
  readonly isDryRun: boolean;
  readonly nowMs: number;
}

/** The key file that is made. */
const KEY_FILE = "imported.txt";

/**
 * @throws OperatorError or ConfigError with the reason, and then nothing has been taken over
 */
export async function takeOver(options: ImportOptions): Promise<ImportReport> {
  const original = await readOriginal(options.path);
  const plan = planImport(original, options.nowMs);
  const { taken } = original.settings;
  using configFile = stageConfigFile(options.configFile, taken, options);
  if (options.isDryRun) return reportOf(options, original, plan, await keysToAdd(options, plan));

  using store = openStore(options.database);
  const added = await addKeys(options.keysDir, { text: keyText(plan.keys), file: KEY_FILE });
  try {
    const states = store.atomically(() => writeDatabase(store, plan, options.nowMs));
    configFile.keep();
    return {
      ...reportOf(options, original, plan, { added: added.added.length, alreadyThere: added.alreadyThere }),
      states,
    };
  } catch (error) {
    await removeKeys(options.keysDir, added.added);
    throw notTaken(error);
  }
}

async function keysToAdd(
  { keysDir }: ImportOptions,
  { keys }: ImportPlan,
): Promise<{ readonly added: number; readonly alreadyThere: number }> {
  const present = new Set((await readKeys(keysDir, [])).map(({ secret }) => secret));
  const added = keys.filter(({ secret }) => !present.has(secret)).length;
  return { added, alreadyThere: keys.length - added };
}

function notTaken(error: unknown): unknown {
  if (error instanceof OperatorError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new OperatorError("database-unusable", `Nothing was taken over: ${reason}.`, { cause: error });
}

function keyText(keys: readonly PlannedKey[]): string {
  const byProject = Map.groupBy(keys, ({ project }) => project ?? "");
  return Array.from(byProject, ([project, members]) =>
    [labelLine(project === "" ? undefined : project), ...members.map(({ secret }) => secret)].join("\n"),
  ).join("\n");
}

function writeDatabase(store: OpenStore, plan: ImportPlan, nowMs: number): StateCounts {
  const known = new Map(store.keys.load().map((row) => [row.secret, row]));
  const fresh = plan.keys.filter(({ secret }) => (known.get(secret)?.health ?? null) === null);
  const add = fresh
    .filter(({ secret }) => !known.has(secret))
    .map(({ secret, project }) => ({ secret, label: project ?? null, sourceFile: KEY_FILE }));
  const { added } = store.keys.change({ add, restore: [], relabel: [], retire: [] }, nowMs);
  for (const row of added) known.set(row.secret, row);
  // What this gateway has learnt itself is newer.
  const states = fresh.filter(({ health, tests }) => health !== undefined || tests.length > 0);
  writeStates(store, states, known);
  const banned = new Set(store.bans.load().map(({ network }) => network));
  store.bans.change(
    plan.bans.filter(({ network }) => !banned.has(network)),
    [],
  );
  return countStates(states);
}

function writeStates(
  store: OpenStore,
  keys: readonly PlannedKey[],
  known: ReadonlyMap<string, KeyRow>,
): void {
  for (const { secret, health, tests } of keys) {
    const id = known.get(secret)?.id;
    if (id === undefined) continue;
    if (health !== undefined) store.keys.saveHealth([{ id, health: { health, standing: { kind: "good" } } }]);
    store.tests.save(tests.map((test) => ({ keyId: id, repeats: 1, ...test })));
  }
}

export function countStates(keys: readonly PlannedKey[]): StateCounts {
  const count = (kind: string | undefined): number =>
    keys.filter(({ health }) => health?.kind === kind).length;
  return { good: count("good"), dead: count("dead"), unknown: count(undefined) };
}

function reportOf(
  options: ImportOptions,
  { folder, settings, database, unread }: OriginalInstallation,
  plan: ImportPlan,
  keys: { readonly added: number; readonly alreadyThere: number },
): ImportReport {
  return {
    folder,
    isDryRun: options.isDryRun,
    configFile: settings.taken.length === 0 ? null : options.configFile,
    settings: settings.taken.map(({ name, line, option }) => ({ name, line, option })),
    settingsLeft: settings.left,
    keys: { file: KEY_FILE, ...keys, inDatabaseOnly: plan.keysInDatabaseOnly },
    states: countStates(plan.keys.filter(({ health, tests }) => health !== undefined || tests.length > 0)),
    bans: { taken: plan.bans.length, odd: plan.oddBans, ended: plan.endedBans },
    unknownTables: database.unknownTables,
    oddRows: database.oddRows,
    unread,
  };
}
