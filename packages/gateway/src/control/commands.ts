/**
 * `keys list`, `keys add`, `keys remove` and `status`: asked of the running gateway or, when none runs, answered from
 * the key files and the database.
 * Command line only. Must never print or return a key, and only `addKeys` may create anything.
 */
import { addKeys as addToFiles, removeKeys as removeFromFiles } from "../primary/keys/edit-files.ts";
import { connectControl } from "./client.ts";
import { listOffline, type OfflineFiles, statusOffline } from "./offline.ts";
import type { AddKeysReport, AddKeysRequest, KeyListRow, RemoveKeysReport, StatusReport } from "./types.ts";

/** Every key that is not retired. Throws OperatorError when there is neither a gateway nor a database nor a key file. */
export async function listKeys(files: OfflineFiles): Promise<readonly KeyListRow[]> {
  const gateway = await connectControl(files.database);
  return gateway === undefined ? listOffline(files) : gateway.listKeys();
}

/** Adds keys to the key files; a running gateway uses them at once. Throws OperatorError when a file cannot be written. */
export async function addKeys(files: OfflineFiles, request: AddKeysRequest): Promise<AddKeysReport> {
  const gateway = await connectControl(files.database);
  return gateway === undefined ? addToFiles(files.keysDir, request) : gateway.addKeys(request);
}

/** Takes keys out of the key files; a running gateway stops using them at once. */
export async function removeKeys(
  files: OfflineFiles,
  fingerprints: readonly string[],
): Promise<RemoveKeysReport> {
  const gateway = await connectControl(files.database);
  return gateway === undefined
    ? removeFromFiles(files.keysDir, fingerprints)
    : gateway.removeKeys({ fingerprints });
}

export async function status(files: OfflineFiles): Promise<StatusReport> {
  const gateway = await connectControl(files.database);
  return gateway === undefined ? statusOffline(files) : gateway.status();
}
