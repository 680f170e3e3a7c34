/**
 * How an upload begins, in Google's three protocols: resumable (a URL to go on with), multipart/related (all in one),
 * raw (the body is the file). gemini-wire.md 1.4.
 */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asText, fieldOf, isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { multipartParts } from "../multipart.ts";
import { mayNotAccess, notFound } from "../resource-errors.ts";
import { jsonReply, wholeReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { ByteIntake } from "../resources/byte-intake.ts";
import { CHUNK_GRANULARITY_BYTES } from "../resources/upload-sessions.ts";
import type { UploadPurpose } from "../resources/upload-sessions.ts";
import { owned } from "./access.ts";
import type { RouteContext } from "./context.ts";
import { fileMetadata, fileResource, intakeOf, keepFile } from "./files.ts";
import { documentOperation } from "./store-documents.ts";

/** Files of one environment; more are taken in and forgotten. */
const ENVIRONMENT_FILES_MAX = 1000;
const TYPE_DEFAULT = "application/octet-stream";

/** `POST /upload/{v}/files`. */
export function uploadFile(context: RouteContext): Reply {
  return startUpload(context, { kind: "file", metadata: context.body });
}

/** `POST /upload/{v}/fileSearchStores/{id}:uploadToFileSearchStore`. */
export function uploadToStore(context: RouteContext): Reply {
  const store = `fileSearchStores/${context.route.ids[0] ?? ""}`;
  owned(context, context.resources.stores, store, mayNotAccess("File Search Store", store));
  return startUpload(context, { kind: "document", store, config: context.body });
}

/** `PUT /upload/{v}/environments/{id}/files/{path}`. */
export function uploadToEnvironment(context: RouteContext): Reply {
  const [id = "", path = ""] = context.route.ids;
  const environment = `environments/${id}`;
  owned(context, context.resources.collections, environment, notFound());
  return startUpload(context, { kind: "environment-file", environment, path });
}

function startUpload(context: RouteContext, purpose: UploadPurpose): Reply {
  const protocol = context.header("x-goog-upload-protocol");
  if (protocol === "resumable") return startResumable(context, purpose);
  if (protocol === "multipart" || context.query.get("uploadType") === "multipart") {
    return uploadWhole(context, purpose);
  }
  return storeBytes(context, purpose, context.rawBody, context.header("content-type") ?? TYPE_DEFAULT);
}

function startResumable(context: RouteContext, purpose: UploadPurpose): Reply {
  const command = context.header("x-goog-upload-command") ?? "";
  if (!/^start\b/.test(command)) throw new Refusal(badRequest(`Invalid upload command: ${command}`));
  const declared = context.header("x-goog-upload-header-content-length");
  const named = purpose.kind === "file" ? fileMetadata(purpose.metadata) : undefined;
  const inBody = asText(fieldOf(context.body, "mimeType"));
  const session = context.resources.uploads.start({
    owner: context.project.name,
    purpose,
    mimeType:
      named?.mimeType ?? inBody ?? context.header("x-goog-upload-header-content-type") ?? TYPE_DEFAULT,
    declaredBytes: declared === undefined ? named?.sizeBytes : Number(declared),
    fileName: context.header("x-goog-upload-file-name"),
  });
  context.touches.add(`upload:${session.id}`, session.owner, "created");
  const path = pathOf(context, purpose);
  const url = `${context.links.uploadOrigin}${path}?upload_id=${session.id}&upload_protocol=resumable`;
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "x-goog-upload-status": "active",
    "x-goog-upload-url": url,
    "x-goog-upload-control-url": url,
    "x-goog-upload-chunk-granularity": String(CHUNK_GRANULARITY_BYTES),
    "x-guploader-uploadid": session.id,
  };
  return wholeReply(200, headers, Buffer.alloc(0));
}

function pathOf({ route }: RouteContext, purpose: UploadPurpose): string {
  const prefix = `/upload/${route.version}`;
  switch (purpose.kind) {
    case "file":
      return `${prefix}/files`;
    case "document":
      return `${prefix}/${purpose.store}:uploadToFileSearchStore`;
    case "environment-file":
      return `${prefix}/${purpose.environment}/files/${purpose.path.split("/").map(encodeURIComponent).join("/")}`;
  }
}

/** A JSON part, then the bytes. */
function uploadWhole(context: RouteContext, purpose: UploadPurpose): Reply {
  const [head, bytes] = multipartParts(context.rawBody, context.header("content-type") ?? "") ?? [];
  if (head === undefined || bytes === undefined) throw new Refusal(badRequest("Malformed multipart body."));
  const metadata = parsed(head.content);
  const filled = withMetadata(purpose, metadata);
  return storeBytes(context, filled, bytes.content, bytes.headers.get("content-type") ?? TYPE_DEFAULT);
}

function parsed(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (isObject(value)) return value;
  } catch {
    // Answered below like any other body that is not an object.
  }
  throw new Refusal(badRequest("Metadata part is not a JSON object."));
}

function withMetadata(purpose: UploadPurpose, metadata: JsonObject): UploadPurpose {
  switch (purpose.kind) {
    case "file":
      return { ...purpose, metadata };
    case "document":
      return { ...purpose, config: metadata };
    case "environment-file":
      return purpose;
  }
}

function storeBytes(context: RouteContext, purpose: UploadPurpose, bytes: Buffer, type: string): Reply {
  const intake = intakeOf(context, bytes);
  const { result } = finishUpload(context, { purpose, mimeType: type, fileName: undefined, intake });
  return jsonReply(result);
}

interface Finished {
  readonly purpose: UploadPurpose;
  readonly mimeType: string;
  readonly fileName: string | undefined;
  readonly intake: ByteIntake;
}

/** Makes what the bytes were for, and gives the body that says so. */
export function finishUpload(context: RouteContext, upload: Finished): { readonly result: object } {
  const { purpose, intake, fileName } = upload;
  switch (purpose.kind) {
    case "file": {
      const { displayName, mimeType } = fileMetadata(purpose.metadata);
      const type = mimeType ?? upload.mimeType;
      const entry = keepFile(context, { displayName, mimeType: type, source: "UPLOADED", intake });
      return { result: { file: fileResource(context, entry) } };
    }
    case "document": {
      const { bytes, content } = intake.finish();
      const displayName = asText(fieldOf(purpose.config, "displayName")) ?? fileName ?? "";
      const made = { displayName, mimeType: upload.mimeType, bytes, content };
      return { result: documentOperation(context, purpose.store, made, "upload/operations") };
    }
    case "environment-file": {
      const { content, bytes } = intake.finish();
      const entry = context.resources.collections.find(purpose.environment, context.nowMs);
      const files = entry?.value.files;
      if (files !== undefined && files.size < ENVIRONMENT_FILES_MAX)
        files.set(purpose.path, content ?? Buffer.alloc(0));
      return { result: { path: purpose.path, size_bytes: String(bytes) } };
    }
  }
}
