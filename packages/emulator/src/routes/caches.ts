/** Explicit context caches: create, get, list, patch, delete. What they hold is known by its tokens alone. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asText, fieldOf } from "../json.ts";
import { contentTokens } from "../prompt.ts";
import { cacheForbidden, cacheTooSmall } from "../resource-errors.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { CacheRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, listBody, newId, owned, pageOf, pageWish, timestamp } from "./access.ts";
import { requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { checkReferences } from "./references.ts";

/** Google's smallest cache, tokens. */
const CACHE_TOKENS_MIN = 1024;
const TTL_DEFAULT_MS = 60 * 60 * 1000;
/** A file in a cache counts for this many tokens. */
const FILE_TOKENS = 1024;
const NAME_CHARACTERS = 40;

export function createCache(context: RouteContext): Reply {
  const { body, nowMs } = context;
  const model = requiredModel(context, asText(body["model"]) ?? "", "createCachedContent");
  checkReferences(context);
  const tokens = contentTokens(body) + FILE_TOKENS * filesNamed(context);
  if (tokens < CACHE_TOKENS_MIN) throw new Refusal(cacheTooSmall(tokens, CACHE_TOKENS_MIN));
  const record: CacheRecord = {
    model: `models/${model.name}`,
    displayName: asText(fieldOf(body, "displayName")) ?? "",
    tokens,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  const name = `cachedContents/${newId(NAME_CHARACTERS)}`;
  const expiresAtMs = expiryOf(context) ?? nowMs + TTL_DEFAULT_MS;
  return jsonReply(cacheResource(kept(context, context.resources.caches, name, record, expiresAtMs)));
}

function filesNamed({ touches }: RouteContext): number {
  return touches.all().filter(({ name }) => name.startsWith("files/")).length;
}

/** When `ttl` or `expireTime` says that it ends; undefined when neither is there. */
function expiryOf({ body, nowMs }: RouteContext): number | undefined {
  const ttl = body["ttl"];
  if (ttl !== undefined) {
    const seconds = Number(/^(\d+(?:\.\d+)?)s$/.exec(asText(ttl) ?? "")?.[1]);
    if (!Number.isFinite(seconds)) throw new Refusal(badRequest("Invalid ttl."));
    return nowMs + seconds * 1000;
  }
  const time = asText(fieldOf(body, "expireTime"));
  if (time === undefined) return undefined;
  const expiresAtMs = Date.parse(time);
  if (!(expiresAtMs > nowMs)) throw new Refusal(badRequest("expire_time must be in the future."));
  return expiresAtMs;
}

export function cacheResource({ name, value, expiresAtMs }: Entry<CacheRecord>): object {
  return {
    name,
    model: value.model,
    createTime: timestamp(value.createdAtMs),
    updateTime: timestamp(value.updatedAtMs),
    expireTime: timestamp(expiresAtMs),
    displayName: value.displayName,
    usageMetadata: { totalTokenCount: value.tokens },
  };
}

function cacheOfPath(context: RouteContext): Entry<CacheRecord> {
  const name = `cachedContents/${context.route.ids[0] ?? ""}`;
  return owned(context, context.resources.caches, name, cacheForbidden());
}

export function getCache(context: RouteContext): Reply {
  return jsonReply(cacheResource(cacheOfPath(context)));
}

export function listCaches(context: RouteContext): Reply {
  const { entries, nextPageToken } = pageOf(
    context,
    context.resources.caches,
    pageWish(context.query, "cachedContents", 50, 1000),
  );
  return jsonReply(listBody("cachedContents", entries.map(cacheResource), nextPageToken));
}

/** Only the time of its end can be changed. */
export function updateCache(context: RouteContext): Reply {
  const entry = cacheOfPath(context);
  const expiresAtMs = expiryOf(context);
  if (expiresAtMs === undefined) throw new Refusal(badRequest("Only ttl and expire_time can be updated."));
  const value = { ...entry.value, updatedAtMs: context.nowMs };
  return jsonReply(cacheResource(context.resources.caches.put(entry.name, entry.owner, value, expiresAtMs)));
}

export function deleteCache(context: RouteContext): Reply {
  context.resources.caches.remove(cacheOfPath(context).name);
  return jsonReply({});
}
