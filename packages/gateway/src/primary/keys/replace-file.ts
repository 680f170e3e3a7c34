/**
 * Replaces a key file by a new version, so that a reader, a full disk or a crash meets the old one or the new, whole.
 * Primary thread and command line. Must never leave a copy of keys behind, nor change who may read the file.
 */
import { type BigIntStats, constants, linkSync, renameSync, statSync } from "node:fs";
import { access, type FileHandle, open, readdir, realpath, stat, unlink } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { systemCodeOf } from "../../control/operator-error.ts";
import { PRIVATE_FILE_MODE } from "../store/private-file.ts";
import { stampOf } from "./key-folder.ts";

const TEMPORARY_PREFIX = ".gemini-gateway-";
const TEMPORARY_SUFFIX = ".tmp";
/** A temporary file older than this belongs to a process that died. */
const TEMPORARY_AGE_MAX_MS = 60_000;
const ANY_WRITE_BIT = 0o222n;
const MODE_BITS = 0o7777n;

/** The stamp that stands for "there is no such file yet". */
export const NO_FILE = "none";

export type Replacement =
  | { readonly kind: "replaced"; readonly stamp: string }
  /** The file is no longer the one the new text was made from; nothing was written. */
  | { readonly kind: "changed" }
  /** The operator, or the file system, wants it as it is; nothing was written. */
  | { readonly kind: "read-only" };

/**
 * Writes `text` in place of the file at `path`, if that still has the stamp `expected` ({@link NO_FILE}: does not exist).
 * The new version is written beside it, flushed to the disk and renamed over it; mode and owner are kept, a new file
 * gets mode 0600, a symbolic link keeps its place and its target is replaced. Of several edits in this process none is lost;
 * another program's can be, if it falls into the microseconds between the last look and the rename.
 * @throws the system's error (disk full …); the original is then untouched and the temporary file gone.
 */
export async function replaceFile(path: string, text: string, expected: string): Promise<Replacement> {
  const target = expected === NO_FILE ? path : await realpath(path);
  const stats = await statOf(target);
  if (stampOrNone(stats) !== expected) return { kind: "changed" };
  if (stats !== undefined && !(await isWritable(target, stats))) return { kind: "read-only" };

  const temporary = join(dirname(target), `${TEMPORARY_PREFIX}${randomUUID()}${TEMPORARY_SUFFIX}`);
  try {
    if (!(await writeTemporary(temporary, text, stats))) return { kind: "read-only" };
    if (!putInPlace(temporary, target, expected)) return { kind: "changed" };
  } catch (error) {
    if (isRefusal(error)) return { kind: "read-only" };
    throw error;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
  await flushFolder(dirname(target));
  return { kind: "replaced", stamp: stampOrNone(await statOf(target)) };
}

/** Deletes what a process that died while replacing left behind: it holds keys. */
export async function deleteLeftovers(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(TEMPORARY_PREFIX) || !name.endsWith(TEMPORARY_SUFFIX)) continue;
    const path = join(folder, basename(name));
    const stats = await statOf(path);
    if (stats === undefined || nowMs - Number(stats.mtimeMs) < TEMPORARY_AGE_MAX_MS) continue;
    await unlink(path).catch(() => undefined);
  }
}

/** False when the file's owner cannot be kept. */
async function writeTemporary(path: string, text: string, like: BigIntStats | undefined): Promise<boolean> {
  await using file = await open(path, "wx", PRIVATE_FILE_MODE);
  if (like !== undefined && !(await keepOwner(file, like))) return false;
  if (like !== undefined) await file.chmod(Number(like.mode & MODE_BITS));
  await file.writeFile(text);
  await file.sync();
  return true;
}

/** Looks and renames without giving way in between. False when the file is no longer the one expected. */
function putInPlace(temporary: string, target: string, expected: string): boolean {
  const stats = statSync(target, { bigint: true, throwIfNoEntry: false });
  if (stampOrNone(stats) !== expected) return false;
  if (expected === NO_FILE && linkExclusively(temporary, target) === "exists") return false;
  renameSync(temporary, target);
  return true;
}

/** A link, unlike a rename, never replaces a file that another process has just made. Some disks know no links. */
function linkExclusively(temporary: string, target: string): "linked" | "exists" | "unsupported" {
  try {
    linkSync(temporary, target);
    return "linked";
  } catch (error) {
    return systemCodeOf(error) === "EEXIST" ? "exists" : "unsupported";
  }
}

async function keepOwner(file: FileHandle, like: BigIntStats): Promise<boolean> {
  const own = await file.stat({ bigint: true });
  if (own.uid === like.uid && own.gid === like.gid) return true;
  try {
    await file.chown(Number(like.uid), Number(like.gid));
    return true;
  } catch {
    return false;
  }
}

/** No write bit at all is the operator's word, and binds us even where root could write. */
async function isWritable(path: string, stats: BigIntStats): Promise<boolean> {
  if ((stats.mode & ANY_WRITE_BIT) === 0n) return false;
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function isRefusal(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS"].includes(systemCodeOf(error));
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function stampOrNone(stats: BigIntStats | undefined): string {
  return stats === undefined ? NO_FILE : stampOf(stats);
}

/** Makes the rename last through a power cut. Some systems cannot flush a folder; the rename holds all the same. */
async function flushFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, "r");
    await folder.sync();
  } catch {
    // The new version is complete either way.
  }
}
