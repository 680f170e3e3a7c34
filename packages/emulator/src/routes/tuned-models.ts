/** Tuned models and ephemeral tokens: small resources of one project. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asNumber, asText, fieldOf } from "../json.ts";
import { mayNotAccess, notFound } from "../resource-errors.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { TunedModelRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, listBody, newId, owned, pageOf, pageWish, timestamp } from "./access.ts";
import { withoutPrefix } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { operationBody, pollOperation } from "./store-documents.ts";

/** Google's defaults: a minute to begin a session, half an hour to talk. Milliseconds. */
const NEW_SESSION_MS = 60_000;
const TOKEN_LIFE_MS = 30 * 60_000;

export function createTunedModel(context: RouteContext): Reply {
  const displayName = asText(fieldOf(context.body, "displayName")) ?? "";
  const baseModel = asText(fieldOf(context.body, "baseModel")) ?? "models/gemini-2.5-flash";
  if (!context.models.has(withoutPrefix(baseModel))) throw new Refusal(notFound());
  const name = `tunedModels/${newId(16)}`;
  const record = { displayName, baseModel, createdAtMs: context.nowMs };
  const tuned = kept(context, context.resources.tunedModels, name, record);
  const operation = {
    pollsLeft: context.resources.jobPolls,
    metadata: { tunedModel: name },
    response: tunedResource(tuned),
  };
  const id = `${name}/operations/${newId(12)}`;
  return jsonReply(operationBody(kept(context, context.resources.operations, id, operation)));
}

function tunedResource({ name, value }: Entry<TunedModelRecord>): object {
  return {
    name,
    displayName: value.displayName,
    baseModel: value.baseModel,
    state: "ACTIVE",
    createTime: timestamp(value.createdAtMs),
    updateTime: timestamp(value.createdAtMs),
  };
}

function tunedOfPath(context: RouteContext): Entry<TunedModelRecord> {
  const name = `tunedModels/${context.route.ids[0] ?? ""}`;
  return owned(context, context.resources.tunedModels, name, mayNotAccess("Tuned Model", name));
}

export function getTunedModel(context: RouteContext): Reply {
  return jsonReply(tunedResource(tunedOfPath(context)));
}

export function listTunedModels(context: RouteContext): Reply {
  const wish = pageWish(context.query, "tunedModels", 10, 1000);
  const { entries, nextPageToken } = pageOf(context, context.resources.tunedModels, wish);
  return jsonReply(listBody("tunedModels", entries.map(tunedResource), nextPageToken));
}

export function deleteTunedModel(context: RouteContext): Reply {
  context.resources.tunedModels.remove(tunedOfPath(context).name);
  return jsonReply({});
}

export function getTuningOperation(context: RouteContext): Reply {
  const [model = "", id = ""] = context.route.ids;
  return pollOperation(context, `tunedModels/${model}/operations/${id}`);
}

/** `POST /v1alpha/auth_tokens`: a credential for Live sessions alone. */
export function createAuthToken(context: RouteContext): Reply {
  const { body, nowMs, route } = context;
  if (route.version !== "v1alpha") throw new Refusal(notFound());
  const expiresAtMs = timeIn(asText(fieldOf(body, "expireTime"))) ?? nowMs + TOKEN_LIFE_MS;
  const newSessionUntilMs = timeIn(asText(fieldOf(body, "newSessionExpireTime"))) ?? nowMs + NEW_SESSION_MS;
  // 0 is without limit, as documented.
  const uses = asNumber(body["uses"]) ?? 1;
  const record = { usesLeft: uses === 0 ? Infinity : uses, newSessionUntilMs };
  const name = `auth_tokens/${newId(48)}`;
  kept(context, context.resources.authTokens, name, record, expiresAtMs);
  return jsonReply({ name });
}

function timeIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) throw new Refusal(badRequest(`Invalid time: ${text}`));
  return atMs;
}
