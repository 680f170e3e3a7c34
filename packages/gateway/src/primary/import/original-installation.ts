/**
 * Looks at a folder in which an original was run and says what is there to be taken over. Command line. It reads only:
 * nothing of the original is changed, created or run.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { OperatorError, systemCodeOf } from "../../control/operator-error.ts";
import { type KeyFileEntry, parseKeyFileInSteps } from "../keys/key-file.ts";
import { listKeyFiles, readKeyFile } from "../keys/key-folder.ts";
import { runInSteps } from "../keys/steps.ts";
import { type MappedSettings, mapSettings } from "./map-settings.ts";
import { type OriginalDatabase, readOriginalDatabase } from "./original-database.ts";
import { PYTHON_LENGTH_MAX, readPythonConfig } from "./python-config.ts";

export interface OriginalInstallation {
  readonly folder: string;
  readonly settings: MappedSettings;
  readonly database: OriginalDatabase;
  /** Keys of its key files, each once, with the label of their project. */
  readonly keys: readonly Pick<KeyFileEntry, "secret" | "project">[];
  /** Sentences on what is there and could not be read. */
  readonly unread: readonly string[];
}

const CONFIG_FILE = "config.py";
const DATABASE_FILE = "api_proxy.db";
const KEYS_FOLDER = "keys";

const NO_SETTINGS: MappedSettings = { taken: [], left: [], bans: [] };
const NO_DATABASE: OriginalDatabase = {
  secrets: new Set(),
  states: [],
  bans: [],
  unknownTables: [],
  oddRows: 0,
};

/**
 * @param path its folder, or its `config.py`
 * @throws OperatorError when there is no original
 */
export async function readOriginal(path: string): Promise<OriginalInstallation> {
  const folder = folderOf(path);
  const unread: string[] = [];
  const settings = attempt(unread, join(folder, CONFIG_FILE), readSettings) ?? NO_SETTINGS;
  const databasePath = resolve(folder, settings.database ?? DATABASE_FILE);
  const database = attempt(unread, databasePath, readOriginalDatabase) ?? NO_DATABASE;
  const keysPath = resolve(folder, settings.keysDir ?? KEYS_FOLDER);
  if (![join(folder, CONFIG_FILE), databasePath, keysPath].some((one) => existsSync(one))) {
    throw new OperatorError(
      "bad-request",
      `There is no original installation in ${folder}: no ${CONFIG_FILE}, no ${DATABASE_FILE} and no folder ${KEYS_FOLDER}.`,
    );
  }
  return { folder, settings, database, keys: await readKeys(keysPath, unread), unread };
}

function folderOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return path;
  if (stats !== undefined && path.endsWith(CONFIG_FILE)) return dirname(path);
  throw new OperatorError("bad-request", `${path} is no folder: name the one that holds ${CONFIG_FILE}.`);
}

function attempt<T>(unread: string[], path: string, read: (path: string) => T): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return read(path);
  } catch (error) {
    const code = systemCodeOf(error);
    unread.push(`${path} could not be read${code === "" ? "" : ` (${code})`}`);
    return undefined;
  }
}

function readSettings(path: string): MappedSettings {
  if (statSync(path).size > PYTHON_LENGTH_MAX) throw new Error("too long for settings");
  return mapSettings(readPythonConfig(readFileSync(path, "utf8")));
}

/** The keys of a folder of key files; none when there is no folder. `unread` gets a sentence for each file not read. */
export async function readKeys(
  keysPath: string,
  unread: string[],
): Promise<readonly Pick<KeyFileEntry, "secret" | "project">[]> {
  if (!existsSync(keysPath)) return [];
  const found = new Map<string, Pick<KeyFileEntry, "secret" | "project">>();
  try {
    for (const { path } of (await listKeyFiles(keysPath)).files) {
      const content = await readKeyFile(path);
      if (content.kind !== "text") {
        unread.push(`${path} could not be read${content.kind === "unusable" ? ` (${content.problem})` : ""}`);
        continue;
      }
      const { entries } = await runInSteps(parseKeyFileInSteps(content.text));
      for (const entry of entries) if (!found.has(entry.secret)) found.set(entry.secret, entry);
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    unread.push(error.message);
  }
  return [...found.values()];
}
