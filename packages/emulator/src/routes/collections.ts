/**
 * The rest of the 3.x surface: agents, environments, credentials, triggers, voices, webhooks. Created, listed, read,
 * patched and deleted by id within a project; what they would really do is not imitated.
 */
import { badRequest, Refusal, upstreamError } from "../error-bodies.ts";
import { asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { notFound } from "../resource-errors.ts";
import { jsonReply, wholeReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { CollectionRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, newId, owned, pageOf, pageWish, timestamp } from "./access.ts";
import type { RouteContext } from "./context.ts";

/** Runs of one trigger that are kept. */
const EXECUTIONS_MAX = 100;
/** Answers in an agent's place. */
const AGENT_MODEL = "gemini-3.8-flash";

function resource({ value }: Entry<CollectionRecord>): JsonObject {
  return { id: value.id, ...value.fields };
}

function keepNew(
  context: RouteContext,
  collection: string,
  id: string,
  fields: JsonObject,
): Entry<CollectionRecord> {
  const name = `${collection}/${id}`;
  if (context.resources.collections.find(name, context.nowMs) !== undefined) {
    throw new Refusal(upstreamError(409, "ALREADY_EXISTS", `${id} already exists.`));
  }
  const created = timestamp(context.nowMs);
  const all = { ...fields, created, updated: created };
  const record: CollectionRecord = { collection, id, fields: all, files: new Map(), executions: [] };
  return kept(context, context.resources.collections, name, record);
}

export function createInCollection(context: RouteContext): Reply {
  const [collection = ""] = context.route.ids;
  const { id: asked, ...fields } = context.body;
  const id = asText(asked) ?? `${collection.slice(0, 3)}-${newId(20)}`;
  return jsonReply(resource(keepNew(context, collection, id, fields)));
}

/** An environment that an interaction asked for; gives its id. */
export function newEnvironment(context: RouteContext): string {
  return keepNew(context, "environments", `env-${newId(20)}`, { status: "active" }).value.id;
}

/** The model that answers for the agent a body names; an agent of the caller's own has to be the caller's. */
export function agentModel(context: RouteContext): string {
  const agent = asText(context.body["agent"]);
  if (agent === undefined) throw new Refusal(badRequest("Either 'model' or 'agent' is required."));
  const name = agent.startsWith("agents/") ? agent : `agents/${agent}`;
  const { collections } = context.resources;
  if (collections.find(name, context.nowMs) !== undefined) owned(context, collections, name, notFound());
  return AGENT_MODEL;
}

function entryOfPath(
  context: RouteContext,
  collection = context.route.ids[0] ?? "",
  id = context.route.ids[1] ?? "",
): Entry<CollectionRecord> {
  return owned(context, context.resources.collections, `${collection}/${id}`, notFound());
}

export function getFromCollection(context: RouteContext): Reply {
  return jsonReply(resource(entryOfPath(context)));
}

export function listCollection(context: RouteContext): Reply {
  const [collection = ""] = context.route.ids;
  const wish = pageWish(context.query, collection, 50, 1000);
  const page = pageOf(
    context,
    context.resources.collections,
    wish,
    ({ value }) => value.collection === collection,
  );
  return jsonReply({
    ...(page.entries.length > 0 && { [collection]: page.entries.map(resource) }),
    ...(page.nextPageToken !== undefined && { next_page_token: page.nextPageToken }),
  });
}

export function updateInCollection(context: RouteContext): Reply {
  const { name, owner, value } = entryOfPath(context);
  const { id: _id, ...changes } = context.body;
  const fields = { ...value.fields, ...changes, updated: timestamp(context.nowMs) };
  return jsonReply(resource(context.resources.collections.put(name, owner, { ...value, fields })));
}

export function deleteFromCollection(context: RouteContext): Reply {
  context.resources.collections.remove(entryOfPath(context).name);
  return jsonReply({});
}

/** A file that was uploaded to an environment: its bytes with `alt=media`, else what is known of it. */
export function environmentFile(context: RouteContext): Reply {
  const [id = "", path = ""] = context.route.ids;
  const content = entryOfPath(context, "environments", id).value.files.get(path);
  if (content === undefined) throw new Refusal(notFound());
  if (context.query.get("alt") !== "media") return jsonReply({ path, size_bytes: String(content.length) });
  return wholeReply(200, { "content-type": "application/octet-stream" }, content);
}

/** The whole of an environment under the name of a file, `environment-{id}`: here only a list of its files. */
export function environmentSnapshot(context: RouteContext, id: string): Reply {
  const { files } = entryOfPath(context, "environments", id).value;
  const listing = Buffer.from([...files.keys()].map((path) => `${path}\n`).join(""));
  return wholeReply(200, { "content-type": "application/octet-stream" }, listing);
}

export function executeTrigger(context: RouteContext): Reply {
  const { value } = entryOfPath(context, "triggers", context.route.ids[0]);
  const execution = { id: `exe-${newId(20)}`, status: "completed", created: timestamp(context.nowMs) };
  value.executions.push(execution);
  if (value.executions.length > EXECUTIONS_MAX) value.executions.shift();
  return jsonReply(execution);
}

export function listExecutions(context: RouteContext): Reply {
  const { executions } = entryOfPath(context, "triggers", context.route.ids[0]).value;
  return jsonReply(executions.length === 0 ? {} : { executions });
}

export function pingWebhook(context: RouteContext): Reply {
  entryOfPath(context, "webhooks", context.route.ids[0]);
  return jsonReply({});
}

export function rotateWebhookSecret(context: RouteContext): Reply {
  entryOfPath(context, "webhooks", context.route.ids[0]);
  return jsonReply({ signing_secret: `whsec_${newId(32)}` });
}
