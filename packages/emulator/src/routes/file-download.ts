/**
 * Downloads: the API answers with a redirect to a link that is signed and needs no key, on a host of another name; the
 * link gives the bytes. Files too large to be kept are refused.
 */
import { createHash } from "node:crypto";
import { badRequest, Refusal, upstreamError } from "../error-bodies.ts";
import { wholeReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { FileRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { environmentSnapshot } from "./collections.ts";
import type { RouteContext } from "./context.ts";
import { getFile, ownedFile } from "./files.ts";

/** `files/x:download`: a redirect with `alt=media`, else the file's metadata. */
export function downloadFile(context: RouteContext): Reply {
  const [id = ""] = context.route.ids;
  if (id.startsWith("environment-")) return environmentSnapshot(context, id.slice("environment-".length));
  if (context.query.get("alt") !== "media") return getFile(context);
  return redirectTo(context, ownedFile(context, `files/${id}`));
}

/** `/download/…`: the bytes themselves, for a key of the owner. The signed link is the same path without a key. */
export function downloadDirect(context: RouteContext): Reply {
  return contentReply(ownedFile(context, `files/${context.route.ids[0] ?? ""}`));
}

function redirectTo(context: RouteContext, { name, owner }: Entry<FileRecord>): Reply {
  const path = `/download/v1beta/${name}:download?alt=media`;
  const location = `${context.links.downloadOrigin}${path}&sig=${signatureOf(name, owner)}`;
  return wholeReply(302, { location, "content-type": "text/html; charset=UTF-8" }, Buffer.alloc(0));
}

/** Proves nothing to a stranger; it only has to be a part of the link that cannot be left out. */
function signatureOf(name: string, owner: string): string {
  return createHash("sha256").update(`download ${owner} ${name}`).digest("base64url");
}

/** True when a link is signed for this file. */
export function isSigned(query: URLSearchParams, { name, owner }: Entry<FileRecord>): boolean {
  return query.get("sig") === signatureOf(name, owner);
}

export function contentReply({ name, value }: Entry<FileRecord>): Reply {
  if (value.content === undefined) {
    const message = `The bytes of ${name} were not kept: only their size and hash are.`;
    throw new Refusal(upstreamError(400, "FAILED_PRECONDITION", message));
  }
  return wholeReply(200, { "content-type": value.mimeType }, value.content);
}

export function linkRefused(): Refusal {
  return new Refusal(badRequest("The download link is not valid."));
}
