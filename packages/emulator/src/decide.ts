/**
 * Decides the reply to one complete request: path, credential, faults, key state, body, route, in Google's order. Pure
 * but for the counters of the world. Writes nothing to a socket.
 */
import { randomBytes } from "node:crypto";
import type { Arrival, Decision } from "./arrival.ts";
import { capabilityReply, isCapability } from "./decide-capability.ts";
import { credentialOf, unknownKeyError } from "./credentials.ts";
import type { Credential } from "./credentials.ts";
import { badField, payloadTooLarge, Refusal } from "./error-bodies.ts";
import type { ErrorSubject } from "./error-bodies.ts";
import { isAnswerFault, isSubstitute } from "./fault-rules.ts";
import type { ActiveFault } from "./fault-rules.ts";
import { asObject, asText, isObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { namedError } from "./named-errors.ts";
import { isGeneration, isOpenAi, routeOf, serviceMethod } from "./operations.ts";
import type { Route } from "./operations.ts";
import type { Project } from "./projects.ts";
import { errorReply, unknownPathReply } from "./reply.ts";
import type { Dialect, Reply } from "./reply.ts";
import { isInteractions } from "./resource-paths.ts";
import { TouchList } from "./resources/touches.ts";
import { withoutPrefix } from "./routes/context.ts";
import type { RouteContext } from "./routes/context.ts";
import { HANDLERS } from "./routes/handlers.ts";
import { substituteReply } from "./substitute-faults.ts";
import { gzipped, withTransportFault } from "./transport-faults.ts";
import type { World } from "./world.ts";

export function decide(world: World, arrival: Arrival): Decision {
  const route = routeOf(arrival.method, arrival.path, arrival.query);
  if (route === undefined || !isServedAt(world, arrival, route)) {
    const nobody = { key: "", project: "", operation: "", model: "", faults: [], resources: [] };
    return { ...nobody, reply: unknownPathReply(arrival.path) };
  }
  const found = foundOut(world, arrival, route);
  const { key, model } = found.subject;
  const basic = isCapability(route, arrival.query) ? capabilityOf(found) : basicReply(found);
  return {
    reply: compressed(withTransportFaults(found, basic.reply), arrival),
    key,
    project: basic.project,
    operation: route.operation,
    model,
    faults: found.active.map(({ fault }) => fault.kind),
    resources: found.touches.all(),
  };
}

/** The second port knows nothing but uploads and downloads; the first leaves them to it when the hosts are strict. */
function isServedAt(world: World, { host, query }: Arrival, route: Route): boolean {
  const isSideBusiness = isCapability(route, query);
  return host === "side" ? isSideBusiness : !(isSideBusiness && world.links.strictHosts);
}

function foundOut(world: World, arrival: Arrival, route: Route): Found {
  const credential = credentialOf(
    {
      headerKey: arrival.header("x-goog-api-key"),
      queryKey: arrival.query.get("key") ?? undefined,
      authorization: arrival.header("authorization"),
    },
    isOpenAi(route.operation),
  );
  const key = credential.kind === "key" ? credential.key : "";
  const project = world.projects.ofKey(key);
  const parsed = parseBody(arrival);
  const subject = subjectOf(world, route, key, project, parsed);
  const active = arrival.leg?.faults ?? activeFaults(world, arrival, route, subject, project);
  const dialect = dialectOf(route, arrival.query, parsed);
  const touches = new TouchList();
  return { world, arrival, route, credential, project, parsed, subject, dialect, active, touches };
}

interface Found {
  readonly world: World;
  readonly arrival: Arrival;
  readonly route: Route;
  readonly credential: Credential;
  readonly project: Project | undefined;
  readonly parsed: JsonObject | undefined;
  readonly subject: ErrorSubject;
  readonly dialect: Dialect;
  readonly active: readonly ActiveFault[];
  readonly touches: TouchList;
}

/** The body as an object: empty when there is none or it is bytes, undefined when it is not JSON of an object. */
function parseBody({ body, header, path }: Arrival): JsonObject | undefined {
  if (body === "too-large" || body.length === 0 || isBytes(header, path)) return {};
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Multipart bodies, and the raw ones of uploads, are for their routes to read. */
function isBytes(header: Arrival["header"], path: string): boolean {
  const type = header("content-type") ?? "";
  if (type.startsWith("multipart/")) return true;
  const isUpload = /^\/+upload\//.test(path);
  return isUpload && header("x-goog-upload-protocol") !== "resumable";
}

/** Native operations whose body names the model. */
const MODEL_IN_BODY: ReadonlySet<string> = new Set(["interactions.create", "caches.create"]);

function subjectOf(
  world: World,
  route: Route,
  key: string,
  project: Project | undefined,
  parsed: JsonObject | undefined,
): ErrorSubject {
  const isInBody = isOpenAi(route.operation) || MODEL_IN_BODY.has(route.operation);
  const method = serviceMethod(route.operation);
  const model = route.model || (isInBody ? withoutPrefix(asText(asObject(parsed)["model"]) ?? "") : "");
  return {
    key,
    projectNumber: project?.number ?? "0",
    model,
    resolvedModel: world.models.get(model)?.resolvesTo ?? model,
    version: route.version,
    method,
    // As model lists write it: `batchGenerateContent`.
    operation: isOpenAi(route.operation)
      ? "generateContent"
      : method.charAt(0).toLowerCase() + method.slice(1),
  };
}

/** How this request's answer is framed, and its errors with it. */
function dialectOf(route: Route, query: URLSearchParams, parsed: JsonObject | undefined): Dialect {
  if (isOpenAi(route.operation)) return parsed?.["stream"] === true ? "openai-sse" : "openai-unary";
  if (isInteractions(route.operation)) {
    const isStream = parsed?.["stream"] === true || query.get("stream") === "true";
    return isStream ? "interactions-sse" : "interactions-unary";
  }
  if (route.operation !== "streamGenerateContent") return "unary";
  return query.get("alt") === "sse" ? "sse" : "array";
}

function activeFaults(
  world: World,
  arrival: Arrival,
  route: Route,
  subject: ErrorSubject,
  project: Project | undefined,
): readonly ActiveFault[] {
  return world.faults.take({
    key: subject.key,
    project: project?.name ?? "",
    model: subject.model,
    operation: route.operation,
    path: arrival.path,
    elapsedMs: world.now() - world.startedAtMs,
  });
}

/** The reply without faults of transport, and the project that gave it. */
type Basic = Pick<Decision, "reply" | "project">;

function basicReply(found: Found): Basic {
  const { active, subject, dialect, project } = found;
  const named = project?.name ?? "";
  const substitute = active.map(({ fault }) => fault).find(isSubstitute);
  if (substitute !== undefined)
    return { reply: substituteReply(substitute, subject, dialect), project: named };
  try {
    return { reply: routeReply(found, admitted(found)), project: named };
  } catch (error) {
    if (error instanceof Refusal) return { reply: errorReply(error.answer, dialect), project: named };
    throw error;
  }
}

/** The reply to a request that its URL authorises. */
function capabilityOf(found: Found): Basic {
  const { world, arrival, route, active, subject, dialect, project } = found;
  const substitute = active.map(({ fault }) => fault).find(isSubstitute);
  if (substitute !== undefined) {
    const owner = arrival.leg?.session?.owner ?? project?.name ?? "";
    return { reply: substituteReply(substitute, subject, dialect), project: owner };
  }
  const contextFor = (owner: Project): RouteContext => contextOf(found, owner, {}, Buffer.alloc(0));
  return capabilityReply(world, arrival, route, project?.name ?? "", contextFor);
}

/** The project of a credential that may call; refuses the others. */
function admitted({ world, route, credential, project, subject }: Found): Project {
  if (credential.kind === "refused") throw new Refusal(namedError(credential.error, subject));
  if (project === undefined) throw new Refusal(namedError(unknownKeyError(credential.key), subject));
  const error = world.projects.stateError(credential.key, project, isGeneration(route.operation));
  if (error !== undefined) throw new Refusal(namedError(error, subject));
  return project;
}

function routeReply(found: Found, project: Project): Reply {
  const { world, arrival, route, parsed } = found;
  if (arrival.body === "too-large") throw new Refusal(payloadTooLarge(world.requestBytesMax));
  if (parsed === undefined) {
    throw new Refusal(badField("", "Invalid JSON payload received. Expected an object at the root.\n"));
  }
  return HANDLERS[route.operation](contextOf(found, project, parsed, arrival.body));
}

function contextOf(found: Found, project: Project, body: JsonObject, rawBody: Buffer): RouteContext {
  const { world, arrival, route, subject, active, touches } = found;
  const { models, quotas, resources, links } = world;
  return {
    route,
    subject,
    project,
    query: arrival.query,
    header: arrival.header,
    body,
    rawBody,
    models,
    quotas,
    resources,
    links,
    touches,
    nowMs: world.now(),
    answerFault: active.map(({ fault }) => fault).find(isAnswerFault),
    responseId: randomBytes(16).toString("base64url"),
  };
}

function withTransportFaults({ active, subject }: Found, reply: Reply): Reply {
  let changed = reply;
  for (const { ruleId, fault } of active) {
    if (isSubstitute(fault) || isAnswerFault(fault)) continue;
    changed = withTransportFault(changed, fault, ruleId, subject);
  }
  return changed;
}

/** Whole JSON answers are compressed for clients that ask; streams never are, as recorded. */
function compressed(reply: Reply, arrival: Arrival): Reply {
  const isWhole = reply.contentLength !== undefined && reply.frameCount === 1;
  const isJson = String(reply.headers["content-type"]).startsWith("application/json");
  const isChanged = reply.gates.length > 0 || reply.headers["content-encoding"] !== undefined;
  if (!isWhole || !isJson || isChanged || reply.splitBytes !== undefined) return reply;
  if (reply.contentLength !== reply.frame(0).length) return reply;
  return /\bgzip\b/.test(arrival.header("accept-encoding") ?? "") ? gzipped(reply) : reply;
}
