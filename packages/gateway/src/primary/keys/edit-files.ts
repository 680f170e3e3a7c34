/**
 * Adds keys to the key files and takes keys out of them: the files are what the operator owns, the store follows.
 * Primary thread (asked over the control channel) and command line. Must never answer with a key: fingerprints only.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../../control/operator-error.ts";
import { systemReason } from "../../system-reason.ts";
import { PRIVATE_FOLDER_MODE } from "../store/private-file.ts";
import { fingerprint, isFingerprintOf } from "./fingerprint.ts";
import {
  type KeyFileEntry,
  labelLine,
  normalLabel,
  parseKeyFileInSteps,
  type Refusal,
  withoutKeys,
} from "./key-file.ts";
import { isKeyFileName, KEY_FILE_BYTES_MAX, listKeyFiles, readKeyFile } from "./key-folder.ts";
import { NO_FILE, replaceFile } from "./replace-file.ts";
import { runInSteps } from "./steps.ts";

/** Where added keys go unless the operator names another file. */
export const ADDED_FILE = "added.txt";
/** Times an edit starts again because the file changed meanwhile. */
const EDIT_ATTEMPTS_MAX = 5;

export interface AddKeysRequest {
  /** Keys in the language of a key file: labels in it count, comments are not kept. */
  readonly text: string;
  /** Label of those keys that have none in `text`. */
  readonly project?: string;
  /** Name of the file inside the folder of keys; {@link ADDED_FILE} by default. */
  readonly file?: string;
}

export interface AddKeysReport {
  readonly file: string;
  /** Fingerprints of the keys added. */
  readonly added: readonly string[];
  /** Keys that some key file has already. */
  readonly alreadyThere: number;
  /** Words that cannot be keys; only the first of them are listed. */
  readonly refused: readonly Refusal[];
  readonly refusedCount: number;
}

export interface RemoveKeysReport {
  /** Fingerprints of the keys no longer in any key file that could be edited. */
  readonly removed: readonly string[];
  /** Fingerprints that no key file has. */
  readonly unknown: readonly string[];
  /** Names of the files rewritten. */
  readonly files: readonly string[];
  /** Files that could not be read or written; a key may still stand in them. */
  readonly failed: readonly { readonly file: string; readonly problem: string }[];
}

/**
 * Appends the keys no file has yet to one file, as a whole. Creates the folder (0700) and the file (0600) if missing.
 * @throws OperatorError for a bad file name, or a file that cannot be read or written
 */
export async function addKeys(keysDir: string, request: AddKeysRequest): Promise<AddKeysReport> {
  const file = request.file ?? ADDED_FILE;
  requirePlainName(file);
  const { entries, refused, refusedCount } = await runInSteps(parseKeyFileInSteps(request.text));
  await mkdir(keysDir, { recursive: true, mode: PRIVATE_FOLDER_MODE }).catch(fail(keysDir));
  const present = await secretsIn(keysDir);
  const project = request.project === undefined ? undefined : normalLabel(request.project);
  const fresh = new Map<string, KeyFileEntry>();
  for (const entry of entries) {
    if (present.has(entry.secret) || fresh.has(entry.secret)) continue;
    fresh.set(
      entry.secret,
      entry.project !== undefined || project === undefined ? entry : { ...entry, project },
    );
  }
  if (fresh.size > 0) await append(join(keysDir, file), [...fresh.values()]);
  return {
    file,
    added: [...fresh.keys()].map((secret) => fingerprint(secret)),
    alreadyThere: entries.length - fresh.size,
    refused,
    refusedCount,
  };
}

/**
 * Takes the keys with these fingerprints out of every key file, each rewritten as a whole, comments kept.
 * @throws OperatorError `key-files` when the folder cannot be read; a single file that cannot be edited is reported
 */
export async function removeKeys(
  keysDir: string,
  fingerprints: readonly string[],
): Promise<RemoveKeysReport> {
  const wanted = new Set(fingerprints);
  const removed = new Set<string>();
  const files: string[] = [];
  const failed: { file: string; problem: string }[] = [];
  for (const { name, path } of (await listKeyFiles(keysDir)).files) {
    try {
      const taken = await removeFrom(path, wanted);
      if (taken.length > 0) files.push(name);
      for (const found of taken) removed.add(found);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      failed.push({ file: name, problem: error.message });
    }
  }
  const unknown = [...wanted].filter((name) => !removed.has(name));
  return { removed: [...removed], unknown, files, failed };
}

/** The fingerprints taken out of this file. */
async function removeFrom(path: string, wanted: ReadonlySet<string>): Promise<readonly string[]> {
  const taken = new Set<string>();
  await edit(path, async (text) => {
    const secrets = new Set<string>();
    taken.clear();
    for (const { secret } of (await runInSteps(parseKeyFileInSteps(text ?? ""))).entries) {
      const name = wantedName(secret, wanted);
      if (name === undefined) continue;
      secrets.add(secret);
      taken.add(name);
    }
    return secrets.size === 0 ? undefined : withoutKeys(text ?? "", secrets);
  });
  return [...taken];
}

/** A fingerprint is longer than usual where two keys would share the short one. */
function wantedName(secret: string, wanted: ReadonlySet<string>): string | undefined {
  const short = fingerprint(secret);
  if (wanted.has(short)) return short;
  for (const name of wanted) if (name.startsWith(short) && isFingerprintOf(name, secret)) return name;
  return undefined;
}

async function append(path: string, entries: readonly KeyFileEntry[]): Promise<void> {
  await edit(path, async (text = "") => {
    const { lastProject } = await runInSteps(parseKeyFileInSteps(text));
    const lines: string[] = [];
    let label = lastProject;
    for (const { secret, project } of entries) {
      if (project !== label) lines.push(labelLine(project));
      label = project;
      lines.push(secret);
    }
    // The label ends here, so that a key later added by hand does not fall under it unseen.
    if (label !== undefined) lines.push(labelLine(undefined));
    return `${text === "" || /[\r\n]$/.test(text) ? text : `${text}\n`}${lines.join("\n")}\n`;
  });
}

/** Replaces a file by what `change` makes of its text (undefined: no such file); it may answer undefined for "as it is". */
async function edit(
  path: string,
  change: (text: string | undefined) => Promise<string | undefined>,
): Promise<void> {
  for (let attempt = 0; attempt < EDIT_ATTEMPTS_MAX; attempt += 1) {
    const before = await readForEdit(path);
    const text = await change(before?.text);
    if (text === undefined) return;
    if (Buffer.byteLength(text) > KEY_FILE_BYTES_MAX) {
      throw new OperatorError(
        "key-files",
        `${path} would be larger than ${KEY_FILE_BYTES_MAX} bytes: use another file.`,
      );
    }
    const result = await replaceFile(path, text, before?.stamp ?? NO_FILE).catch(fail(path));
    if (result.kind === "replaced") return;
    if (result.kind === "read-only") throw new OperatorError("key-files", `${path} is read-only.`);
  }
  throw new OperatorError("key-files", `${path} keeps changing: try again when nobody else is writing it.`);
}

async function readForEdit(path: string): Promise<{ text: string; stamp: string } | undefined> {
  const content = await readKeyFile(path);
  switch (content.kind) {
    case "text":
      if (content.isUtf8) return content;
      throw new OperatorError(
        "key-files",
        `${path} is not UTF-8: edit it by hand, so that its comments survive.`,
      );
    case "missing":
      return undefined;
    case "moving":
      throw new OperatorError("key-files", `${path} is being written: try again.`);
    case "unusable":
      throw new OperatorError("key-files", `${path}: ${content.problem}.`);
  }
}

async function secretsIn(keysDir: string): Promise<ReadonlySet<string>> {
  const secrets = new Set<string>();
  for (const { path } of (await listKeyFiles(keysDir)).files) {
    const content = await readKeyFile(path);
    if (content.kind !== "text") continue;
    const { entries } = await runInSteps(parseKeyFileInSteps(content.text));
    for (const { secret } of entries) secrets.add(secret);
  }
  return secrets;
}

function requirePlainName(file: string): void {
  if (/^[\w .-]{1,100}$/.test(file) && isKeyFileName(file)) return;
  throw new OperatorError(
    "bad-request",
    "The name of a key file has letters, digits, dots, spaces, dashes and underscores; it does not begin with a dot.",
  );
}

function fail(path: string): (error: unknown) => never {
  return (error) => {
    throw new OperatorError("key-files", `${path} cannot be written ${systemReason(error)}.`, {
      cause: error,
    });
  };
}
