/** File search stores: create, get, list, delete, import of a file. Their documents have a file of their own. */
import { Refusal, upstreamError } from "../error-bodies.ts";
import { asText, fieldOf } from "../json.ts";
import { mayNotAccess } from "../resource-errors.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { StoreRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, listBody, newId, owned, pageOf, pageWish, timestamp } from "./access.ts";
import type { RouteContext } from "./context.ts";
import { usableFile } from "./files.ts";
import { documentOperation, documentsOf } from "./store-documents.ts";

export function createStore(context: RouteContext): Reply {
  const displayName = asText(fieldOf(context.body, "displayName")) ?? "";
  const slug = displayName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "")
    .slice(0, 20);
  const name = `fileSearchStores/${slug}${slug === "" ? "" : "-"}${newId(12)}`;
  const record = { displayName, createdAtMs: context.nowMs };
  return jsonReply(storeResource(context, kept(context, context.resources.stores, name, record)));
}

export function storeOfPath(context: RouteContext): Entry<StoreRecord> {
  const name = `fileSearchStores/${context.route.ids[0] ?? ""}`;
  return owned(context, context.resources.stores, name, mayNotAccess("File Search Store", name));
}

function storeResource(context: RouteContext, { name, value }: Entry<StoreRecord>): object {
  const documents = documentsOf(context, name);
  const bytes = documents.reduce((sum, document) => sum + document.value.bytes, 0);
  return {
    name,
    displayName: value.displayName,
    createTime: timestamp(value.createdAtMs),
    updateTime: timestamp(value.createdAtMs),
    ...(documents.length > 0 && { activeDocumentsCount: String(documents.length), sizeBytes: String(bytes) }),
  };
}

export function getStore(context: RouteContext): Reply {
  return jsonReply(storeResource(context, storeOfPath(context)));
}

export function listStores(context: RouteContext): Reply {
  const wish = pageWish(context.query, "fileSearchStores", 10, 20);
  const { entries, nextPageToken } = pageOf(context, context.resources.stores, wish);
  const stores = entries.map((entry) => storeResource(context, entry));
  return jsonReply(listBody("fileSearchStores", stores, nextPageToken));
}

/** Only with `force` when it has documents. */
export function deleteStore(context: RouteContext): Reply {
  const { name } = storeOfPath(context);
  const documents = documentsOf(context, name);
  if (documents.length > 0 && context.query.get("force") !== "true") {
    const message = "Cannot delete a non-empty File Search Store.";
    throw new Refusal(upstreamError(400, "FAILED_PRECONDITION", message));
  }
  for (const document of documents) context.resources.documents.remove(document.name);
  context.resources.stores.remove(name);
  return jsonReply({});
}

export function importFile(context: RouteContext): Reply {
  const store = storeOfPath(context);
  const { name, value } = usableFile(context, asText(fieldOf(context.body, "fileName")) ?? "");
  const { mimeType, bytes, content } = value;
  // The document has bytes of its own: the file may be deleted.
  const copied = content === undefined || !context.resources.kept.take(content.length) ? undefined : content;
  const document = { displayName: value.displayName ?? name, mimeType, bytes, content: copied };
  return jsonReply(documentOperation(context, store.name, document, "operations"));
}
