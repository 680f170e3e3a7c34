/**
 * The name under which a resource's owner is kept. Most names are kept as they are; one that is or stands for a right of
 * access (an upload's id, a token) becomes a digest, so that neither memory nor database holds anything that opens
 * something. Any thread. Giving it its own result changes nothing.
 */
import { createHash } from "node:crypto";

/** Collections whose names grant nothing: whoever knows one still needs a key. All others are kept as digests. */
const PLAIN: ReadonlySet<string> = new Set([
  "files",
  "generatedFiles",
  "cachedContents",
  "batches",
  "models",
  "operations",
  "fileSearchStores",
  "tunedModels",
  "corpora",
  "interactions",
  "agents",
  "environments",
  "credentials",
  "triggers",
  "voices",
  "webhooks",
  "videos",
]);

/** Longest name kept as it is, UTF-16 units; Google's ids have up to some 150. */
export const PLAIN_NAME_LENGTH_MAX = 256;
/** 128 bits: names of one pool never meet by chance. */
const DIGEST_LENGTH = 22;
/** No collection or id of Google's begins so. */
const DIGEST_MARK = "~";

/** @param name `collection/id`, in its canonical spelling */
export function storedName(name: string): string {
  const slashAt = name.indexOf("/");
  const collection = slashAt < 0 ? "" : name.slice(0, slashAt);
  if (PLAIN.has(collection) && name.length <= PLAIN_NAME_LENGTH_MAX) return name;
  if (isDigest(name, slashAt)) return name;
  const digest = createHash("sha256").update(name).digest("base64url").slice(0, DIGEST_LENGTH);
  return `${collection.slice(0, COLLECTION_LENGTH_MAX)}/${DIGEST_MARK}${digest}`;
}

/** Longer than any collection there is. */
const COLLECTION_LENGTH_MAX = 32;

function isDigest(name: string, slashAt: number): boolean {
  return name.length === slashAt + 2 + DIGEST_LENGTH && name[slashAt + 1] === DIGEST_MARK;
}

/** The name as it may stand in an answer or a log: of what is kept as a digest only what it is. */
export function shownName(name: string): string {
  const stored = storedName(name);
  const slashAt = stored.indexOf("/");
  return stored[slashAt + 1] === DIGEST_MARK ? `${stored.slice(0, slashAt)}/…` : stored;
}
