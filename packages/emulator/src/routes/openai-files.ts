/** Files of the OpenAI-compatible surface: the same files as the native ones, in OpenAI's shape. Ids keep `files/`. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { dispositionField, multipartParts } from "../multipart.ts";
import { compactReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { FileRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { pageOf, pageWish } from "./access.ts";
import type { RouteContext } from "./context.ts";
import { contentReply } from "./file-download.ts";
import { intakeOf, keepFile, ownedFile } from "./files.ts";

const TYPE_DEFAULT = "application/octet-stream";
const FILES_LISTED_MAX = 10_000;

/** `multipart/form-data` with `file` and `purpose`. */
export function createOpenAiFile(context: RouteContext): Reply {
  const parts = multipartParts(context.rawBody, context.header("content-type") ?? "") ?? [];
  const named = (name: string): (typeof parts)[number] | undefined =>
    parts.find((part) => dispositionField(part, "name") === name);
  const file = named("file");
  if (file === undefined) throw new Refusal(badRequest("file is not specified"));
  const entry = keepFile(context, {
    displayName: dispositionField(file, "filename"),
    mimeType: file.headers.get("content-type") ?? TYPE_DEFAULT,
    source: "UPLOADED",
    purpose: named("purpose")?.content.toString("utf8") ?? "",
    intake: intakeOf(context, file.content),
  });
  return compactReply(openAiFile(entry));
}

function openAiFile({ name, value }: Entry<FileRecord>): object {
  return {
    id: name,
    object: "file",
    bytes: value.bytes,
    created_at: Math.floor(value.createdAtMs / 1000),
    expires_at: Math.floor(value.expiresAtMs / 1000),
    filename: value.displayName ?? "",
    purpose: value.purpose ?? "user_data",
    status: "processed",
  };
}

/** The id in a path, with or without `files/`. */
function fileOfPath(context: RouteContext): Entry<FileRecord> {
  const id = context.route.ids[0] ?? "";
  return ownedFile(context, id.startsWith("files/") ? id : `files/${id}`);
}

export function getOpenAiFile(context: RouteContext): Reply {
  return compactReply(openAiFile(fileOfPath(context)));
}

export function listOpenAiFiles(context: RouteContext): Reply {
  const wish = pageWish(new URLSearchParams(), "openai files", FILES_LISTED_MAX, FILES_LISTED_MAX);
  const { entries } = pageOf(context, context.resources.files, wish);
  return compactReply({ object: "list", data: entries.map(openAiFile), has_more: false });
}

export function openAiFileContent(context: RouteContext): Reply {
  return contentReply(fileOfPath(context));
}

export function deleteOpenAiFile(context: RouteContext): Reply {
  const entry = fileOfPath(context);
  context.resources.files.remove(entry.name);
  return compactReply({ id: entry.name, object: "file", deleted: true });
}
