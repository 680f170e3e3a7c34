/**
 * Where a running gateway listens for the command line: a socket beside its database, so that naming the database finds
 * the gateway. Both sides.
 */
import { hash } from "node:crypto";
import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { PRIVATE_FOLDER_MODE } from "../primary/store/private-file.ts";
import { OperatorError, systemCodeOf } from "./operator-error.ts";

/** Linux takes 107 bytes, macOS 103. */
const SOCKET_PATH_BYTES_MAX = 100;

/**
 * The socket (Windows: the named pipe) of the gateway on this database. Creates nothing.
 * Where the path would be too long for a socket: one named after it in a folder of this user's below the system's
 * temporary one, so both sides need the same user and the same TMPDIR.
 */
export function controlAddress(database: string, platform: NodeJS.Platform = process.platform): string {
  const path = realPathOf(database);
  const name = hash("sha256", path, "hex").slice(0, 32);
  if (platform === "win32") return `\\\\.\\pipe\\gemini-gateway-${name}`;
  const beside = `${path}.sock`;
  return Buffer.byteLength(beside) <= SOCKET_PATH_BYTES_MAX ? beside : join(privateFolder(), `${name}.sock`);
}

/** Makes sure that nobody else can have put a socket of his own at the address. Only for the listening side. */
export function prepareAddress(address: string): void {
  const folder = privateFolder();
  if (!address.startsWith(folder)) return;
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  requireOwnFolder(folder);
}

/** For the asking side: true unless the socket is in a folder that another user could have made. */
export function isTrustworthy(address: string): boolean {
  const folder = privateFolder();
  if (!address.startsWith(folder)) return true;
  try {
    requireOwnFolder(folder);
    return true;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    return false;
  }
}

function requireOwnFolder(folder: string): void {
  const stats = lstatSync(folder);
  const isPrivate = stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0;
  if (isPrivate) return;
  throw new OperatorError(
    "control-failed",
    `${folder} must be a folder of this user's, with mode 0700: remove it.`,
  );
}

function privateFolder(): string {
  return join(tmpdir(), `gemini-gateway-${userInfo().uid}`);
}

function realPathOf(database: string): string {
  try {
    return realpathSync(database);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return resolve(database);
    throw new OperatorError(
      "database-unusable",
      `The database ${database} cannot be reached (${systemCodeOf(error)}).`,
    );
  }
}
