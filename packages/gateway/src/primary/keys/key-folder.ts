/**
 * Reads the folder of keys: which files count, what they say, and whether they held still meanwhile.
 * Primary thread and command line. Must never write, and never log what a file contains.
 */
import { open, readdir, stat } from "node:fs/promises";
import type { BigIntStats, Dirent } from "node:fs";
import { isUtf8 as isUtf8Text } from "node:buffer";
import { join } from "node:path";
import { OperatorError, systemCodeOf } from "../../control/operator-error.ts";
import { systemReason } from "../../system-reason.ts";

/** Room for about 300,000 keys. */
export const KEY_FILE_BYTES_MAX = 16 * 1024 * 1024;
/** More files than this in one folder is a mistaken path. */
export const KEY_FILES_MAX = 2_000;

export interface ListedFile {
  /** Name inside the folder. */
  readonly name: string;
  readonly path: string;
  /** Changes whenever the file does; undefined when the file cannot be looked at. */
  readonly stamp: string | undefined;
  /** Last change of content or attributes, milliseconds since the epoch. */
  readonly changedAtMs: number;
}

export interface ListedFolder {
  /** Sorted by name, so that the first of two files with one key is the same every time. */
  readonly files: readonly ListedFile[];
  /** Last time a name came or went, milliseconds since the epoch. */
  readonly changedAtMs: number;
  /** Another folder at the same path has another identity. */
  readonly identity: string;
}

/** What a file says, or in `problem` why it cannot be used; its keys then stay as they are. */
export type KeyFileContent =
  | { readonly kind: "text"; readonly text: string; readonly stamp: string; readonly isUtf8: boolean }
  | { readonly kind: "missing" }
  /** It changed while it was being read. */
  | { readonly kind: "moving" }
  | { readonly kind: "unusable"; readonly problem: string };

/**
 * The key files of a folder: every regular file, symbolic links to files included, but no dotfile (temporary files are
 * such), no README.md, and none of an editor's copies (`name~`, `#name#`), which would bring back removed keys.
 * Sub-folders are not looked into.
 * @throws OperatorError `key-files` when the folder cannot be read.
 */
export async function listKeyFiles(keysDir: string): Promise<ListedFolder> {
  try {
    const folder = await stat(keysDir, { bigint: true });
    const names = (await readdir(keysDir, { withFileTypes: true })).filter(isCandidate);
    if (names.length > KEY_FILES_MAX) {
      throw new OperatorError("key-files", `The folder ${keysDir} has more than ${KEY_FILES_MAX} files.`);
    }
    names.sort((left, right) => (left.name < right.name ? -1 : 1));
    const files: ListedFile[] = [];
    for (const entry of names) files.push(...(await listed(keysDir, entry)));
    return { files, changedAtMs: changedAtMs(folder), identity: `${folder.dev}:${folder.ino}` };
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError("key-files", `The keys folder ${keysDir} cannot be read ${systemReason(error)}.`);
  }
}

/** True for a name that is read as a key file. */
export function isKeyFileName(name: string): boolean {
  if (name.startsWith(".") || name.endsWith("~") || /^#.*#$/.test(name)) return false;
  return name.toLowerCase() !== "readme.md";
}

/** Reads one file whole, at most {@link KEY_FILE_BYTES_MAX} bytes. Does not throw for what the file system refuses. */
export async function readKeyFile(path: string): Promise<KeyFileContent> {
  try {
    await using file = await open(path, "r");
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) return { kind: "unusable", problem: "not a regular file" };
    if (before.size > KEY_FILE_BYTES_MAX) {
      return { kind: "unusable", problem: `larger than ${KEY_FILE_BYTES_MAX} bytes` };
    }
    const bytes = await file.readFile();
    const after = await file.stat({ bigint: true });
    if (stampOf(before) !== stampOf(after) || BigInt(bytes.length) !== after.size) return { kind: "moving" };
    return contentOf(bytes, stampOf(after));
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return { kind: "missing" };
    return { kind: "unusable", problem: `cannot be read ${systemReason(error)}` };
  }
}

/** Two equal stamps: the same file with the same content. */
export function stampOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function contentOf(bytes: Buffer, stamp: string): KeyFileContent {
  if (bytes.includes(0)) return { kind: "unusable", problem: "not text in UTF-8" };
  const isUtf8 = isUtf8Text(bytes);
  // Any other encoding is read byte for byte: keys are ASCII in all of them, and only comments look odd.
  const text = bytes.toString(isUtf8 ? "utf8" : "latin1");
  if (/^\uFEFF?\s*\{/.test(text)) {
    return { kind: "unusable", problem: "a JSON object: a key file has one key a line" };
  }
  return { kind: "text", text, stamp, isUtf8 };
}

function isCandidate(entry: Dirent): boolean {
  return (entry.isFile() || entry.isSymbolicLink()) && isKeyFileName(entry.name);
}

/** A link that leads nowhere is listed: its target may be on a disk that is away, and its keys are to stay. */
async function listed(keysDir: string, { name }: Dirent): Promise<ListedFile[]> {
  const path = join(keysDir, name);
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? [{ name, path, stamp: stampOf(stats), changedAtMs: changedAtMs(stats) }] : [];
  } catch {
    return [{ name, path, stamp: undefined, changedAtMs: 0 }];
  }
}

/** The time of the inode's change counts too: unlike the other it cannot be set back by `cp -p` or `touch`. */
function changedAtMs({ mtimeNs, ctimeNs }: BigIntStats): number {
  return Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
}
