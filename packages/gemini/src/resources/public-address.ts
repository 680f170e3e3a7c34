/**
 * Addresses that go out to clients: upload URLs always become the gateway's, those of files when the operator wants it.
 * Pure; runs on the HTTP workers. The way back, for addresses in requests, is file-address.ts and body-edits.ts.
 */
import { type Edit, withEdits } from "./body-edits.ts";
import type { PublicBase } from "./file-address.ts";
import { uploadOf } from "./answer-resources.ts";
import type { Resource } from "./resource-name.ts";

/** An upload whose first leg has been answered. */
export interface UploadAddress {
  /** What the client is told: the gateway's base with Google's path and query. */
  readonly publicUrl: string;
  /** Where its next legs have to go; it may be another host than the first leg's. */
  readonly upstreamOrigin: string;
  readonly upload: Resource;
}

/** Longest upload URL taken, characters; Google's have some 400. */
const UPLOAD_URL_LENGTH_MAX = 8192;

/**
 * Rewrites the value of `x-goog-upload-url`, `x-goog-upload-control-url` or `location`.
 * @param base the gateway's address as the client sees it, with its path prefix and without a slash at the end.
 * @param askedOrigin origin the first leg went to, for a URL that is relative.
 * @returns undefined for what is no upload URL: it must not go out, for it may lead around the gateway.
 */
export function uploadAddress(url: string, base: PublicBase, askedOrigin: string): UploadAddress | undefined {
  const parsed = url.length > UPLOAD_URL_LENGTH_MAX ? null : URL.parse(url, askedOrigin);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return undefined;
  const upload = parsed.search === "" ? undefined : uploadOf(url);
  if (upload === undefined) return undefined;
  const path = parsed.pathname.replace(/^\/{2,}/, "/");
  return { publicUrl: `${base}${path}${parsed.search}`, upstreamOrigin: parsed.origin, upload };
}

/** Fields of an answer that hold the address of a file; text a model wrote is never touched. */
export const ADDRESS_KEYS = ["uri", "downloadUri", "download_uri", "fileUri", "file_uri"] as const;
const ADDRESS_FIELD = new RegExp(`"(?:${ADDRESS_KEYS.join("|")})"\\s*:\\s*$`);
/** Bytes before an address in which its key has to stand. */
export const KEY_BYTES_MAX = 64;
/** Most addresses changed in one answer, or in one piece of a longer one: a full page of files with two each. */
const ADDRESSES_MAX = 4096;

/**
 * An answer in which addresses of files are the gateway's.
 * @param json a whole JSON answer, or events of a stream.
 * @param upstreamOrigin without a slash at its end.
 * @returns the same buffer when there is nothing to change.
 */
export function withPublicAddresses(json: Buffer, upstreamOrigin: string, base: PublicBase): Buffer {
  const opening = `"${upstreamOrigin}/`;
  const edits: Edit[] = [];
  for (
    let at = json.indexOf(opening, 0, "latin1");
    at >= 0 && edits.length < ADDRESSES_MAX;
    at = json.indexOf(opening, at + 1, "latin1")
  ) {
    const before = json.toString("latin1", Math.max(0, at - KEY_BYTES_MAX), at);
    // Inside a string the quotes of a key would be escaped: `\"uri\":` does not match.
    if (!ADDRESS_FIELD.test(before)) continue;
    edits.push({ start: at + 1, end: at + opening.length - 1, text: base });
  }
  return withEdits(json, edits);
}
