/** Documents of a file search store: made by operations, listed, read, deleted; their bytes as media. */
import { Refusal } from "../error-bodies.ts";
import { mayNotAccess, notFound } from "../resource-errors.ts";
import { jsonReply, wholeReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { DocumentRecord, OperationRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, listBody, newId, owned, pageOf, pageWish, timestamp } from "./access.ts";
import type { RouteContext } from "./context.ts";

const TYPE_PREFIX = "type.googleapis.com/google.ai.generativelanguage.v1main.";

type NewDocument = Pick<DocumentRecord, "displayName" | "mimeType" | "bytes" | "content">;

/**
 * Keeps a document and the operation that made it.
 * @param branch where the operation's name is: `operations` of an import, `upload/operations` of an upload.
 */
export function documentOperation(
  context: RouteContext,
  store: string,
  document: NewDocument,
  branch: "operations" | "upload/operations",
): object {
  const name = `${store}/documents/${newId(12)}`;
  const record = { ...document, store, createdAtMs: context.nowMs };
  kept(context, context.resources.documents, name, record);
  const { mimeType, bytes } = document;
  const isUpload = branch === "upload/operations";
  const response = {
    "@type": `${TYPE_PREFIX}${isUpload ? "UploadToFileSearchStoreResponse" : "ImportFileResponse"}`,
    documentName: name,
    parent: store,
    ...(isUpload && { mimeType, sizeBytes: String(bytes) }),
  };
  // An upload answers with its finished operation, as recorded; an import is polled.
  const pollsLeft = isUpload ? 0 : context.resources.jobPolls;
  const operation = { pollsLeft, metadata: undefined, response };
  const id = `${store}/${branch}/${newId(12)}`;
  return operationBody(kept(context, context.resources.operations, id, operation));
}

/** An operation as it stands: with a result when its polls are over. */
export function operationBody({ name, value }: Entry<OperationRecord>): object {
  const head = { name, ...(value.metadata !== undefined && { metadata: value.metadata }) };
  return value.pollsLeft > 0 ? head : { ...head, done: true, response: value.response };
}

/** Any operation, by its whole name: one poll. */
export function pollOperation(context: RouteContext, name: string): Reply {
  const entry = owned(context, context.resources.operations, name, mayNotAccess("Operation", name));
  entry.value.pollsLeft = Math.max(0, entry.value.pollsLeft - 1);
  return jsonReply(operationBody(entry));
}

export function getStoreOperation(context: RouteContext): Reply {
  const [store = "", id = ""] = context.route.ids;
  return pollOperation(context, `fileSearchStores/${store}/operations/${id}`);
}

export function getStoreUploadOperation(context: RouteContext): Reply {
  const [store = "", id = ""] = context.route.ids;
  return pollOperation(context, `fileSearchStores/${store}/upload/operations/${id}`);
}

export function documentsOf(context: RouteContext, store: string): readonly Entry<DocumentRecord>[] {
  const { documents } = context.resources;
  return documents
    .ofProject(context.project.name, context.nowMs)
    .filter(({ value }) => value.store === store);
}

function documentResource({ name, value }: Entry<DocumentRecord>): object {
  return {
    name,
    displayName: value.displayName,
    mimeType: value.mimeType,
    sizeBytes: String(value.bytes),
    createTime: timestamp(value.createdAtMs),
    updateTime: timestamp(value.createdAtMs),
    state: "STATE_ACTIVE",
  };
}

function storeName(context: RouteContext): string {
  const name = `fileSearchStores/${context.route.ids[0] ?? ""}`;
  return owned(context, context.resources.stores, name, mayNotAccess("File Search Store", name)).name;
}

function documentOfPath(context: RouteContext): Entry<DocumentRecord> {
  const name = `${storeName(context)}/documents/${context.route.ids[1] ?? ""}`;
  return owned(context, context.resources.documents, name, mayNotAccess("Document", name));
}

export function listDocuments(context: RouteContext): Reply {
  const store = storeName(context);
  const wish = pageWish(context.query, `documents of ${store}`, 10, 20);
  const page = pageOf(context, context.resources.documents, wish, ({ value }) => value.store === store);
  return jsonReply(listBody("documents", page.entries.map(documentResource), page.nextPageToken));
}

export function getDocument(context: RouteContext): Reply {
  return jsonReply(documentResource(documentOfPath(context)));
}

export function deleteDocument(context: RouteContext): Reply {
  context.resources.documents.remove(documentOfPath(context).name);
  return jsonReply({});
}

/** The bytes of a document, under the id of the document. */
export function storeMedia(context: RouteContext): Reply {
  const { value } = documentOfPath(context);
  if (value.content === undefined) throw new Refusal(notFound());
  return wholeReply(200, { "content-type": value.mimeType }, value.content);
}
