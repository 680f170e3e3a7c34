/** Files: what an upload makes, get, list, delete. A file becomes ACTIVE after some polls, for ever is 48 hours. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asNumber, asObject, asText, fieldOf } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { fileNotActive, mayNotAccess } from "../resource-errors.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { ByteIntake } from "../resources/byte-intake.ts";
import type { FileRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, listBody, newId, owned, pageOf, pageWish, timestamp } from "./access.ts";
import type { RouteContext } from "./context.ts";

/** Google's life of a file, milliseconds. */
const FILE_LIFE_MS = 48 * 60 * 60 * 1000;
const PAGE_SIZE_DEFAULT = 10;
const PAGE_SIZE_MAX = 100;

export interface NewFile {
  /** Without `files/`; made up when absent. */
  readonly id?: string;
  readonly displayName?: string | undefined;
  readonly mimeType: string;
  readonly source: FileRecord["source"];
  readonly purpose?: string;
  /** Already read bytes; finished here. */
  readonly intake: ByteIntake;
}

/** Keeps a file of the caller's project. */
export function keepFile(context: RouteContext, file: NewFile): Entry<FileRecord> {
  const { bytes, sha256Hex, content } = file.intake.finish();
  const expiresAtMs = context.nowMs + FILE_LIFE_MS;
  const record: FileRecord = {
    displayName: file.displayName,
    mimeType: file.mimeType,
    bytes,
    sha256Hex,
    content,
    source: file.source,
    createdAtMs: context.nowMs,
    expiresAtMs,
    purpose: file.purpose,
    pollsLeft: file.source === "GENERATED" ? 0 : context.resources.filePolls,
  };
  return kept(context, context.resources.files, `files/${file.id ?? newId(12)}`, record, expiresAtMs);
}

/** Bytes that are already in memory as an intake of their own. */
export function intakeOf(context: RouteContext, content: Buffer): ByteIntake {
  const intake = new ByteIntake(context.resources.kept);
  intake.add(content);
  return intake;
}

/** A file as the API shows it. Its hash is base64 of the hexadecimal digest, one of Google's oddities. */
export function fileResource(context: RouteContext, { name, value }: Entry<FileRecord>): JsonObject {
  const { displayName, bytes, sha256Hex, createdAtMs, expiresAtMs } = value;
  const uri = context.links.fileUri(name);
  return {
    name,
    ...(displayName !== undefined && { displayName }),
    mimeType: value.mimeType,
    sizeBytes: String(bytes),
    createTime: timestamp(createdAtMs),
    updateTime: timestamp(createdAtMs),
    expirationTime: timestamp(expiresAtMs),
    sha256Hash: Buffer.from(sha256Hex).toString("base64"),
    uri,
    ...(value.source === "GENERATED" && { downloadUri: `${uri}:download?alt=media` }),
    state: value.pollsLeft > 0 ? "PROCESSING" : "ACTIVE",
    source: value.source,
  };
}

export function ownedFile(context: RouteContext, name: string): Entry<FileRecord> {
  return owned(context, context.resources.files, name, mayNotAccess("File", name));
}

/** A file that a request wants to use; refuses one that is not ACTIVE yet. */
export function usableFile(context: RouteContext, name: string): Entry<FileRecord> {
  const entry = ownedFile(context, name);
  if (entry.value.pollsLeft > 0) throw new Refusal(fileNotActive(name));
  return entry;
}

function fileOfPath(context: RouteContext): Entry<FileRecord> {
  return ownedFile(context, `files/${context.route.ids[0] ?? ""}`);
}

export function getFile(context: RouteContext): Reply {
  const entry = fileOfPath(context);
  const reply = jsonReply(fileResource(context, entry));
  entry.value.pollsLeft = Math.max(0, entry.value.pollsLeft - 1);
  return reply;
}

export function listFiles(context: RouteContext): Reply {
  const wish = pageWish(context.query, "files", PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const { entries, nextPageToken } = pageOf(context, context.resources.files, wish);
  const files = entries.map((entry) => fileResource(context, entry));
  return jsonReply(listBody("files", files, nextPageToken));
}

export function deleteFile(context: RouteContext): Reply {
  context.resources.files.remove(fileOfPath(context).name);
  return jsonReply({});
}

/** Metadata without bytes. */
export function createFile(context: RouteContext): Reply {
  const file = asObject(context.body["file"]);
  const entry = keepFile(context, {
    displayName: asText(fieldOf(file, "displayName")),
    mimeType: asText(fieldOf(file, "mimeType")) ?? "application/octet-stream",
    source: "UPLOADED",
    intake: intakeOf(context, Buffer.alloc(0)),
  });
  return jsonReply({ file: fileResource(context, entry) });
}

/** Needs OAuth, which no key gives. */
export function registerFiles(): Reply {
  throw new Refusal(badRequest("files:register needs OAuth credentials."));
}

/** The `file` part of an upload's JSON. */
export function fileMetadata(metadata: JsonObject): {
  readonly displayName: string | undefined;
  readonly mimeType: string | undefined;
  readonly sizeBytes: number | undefined;
} {
  const file = asObject(metadata["file"]);
  const size = fieldOf(file, "sizeBytes");
  return {
    displayName: asText(fieldOf(file, "displayName")),
    mimeType: asText(fieldOf(file, "mimeType")),
    sizeBytes: asNumber(size) ?? (typeof size === "string" ? Number(size) : undefined),
  };
}
