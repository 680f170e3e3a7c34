/**
 * Decides the reply to one complete request: path, credential, faults, key state, body, route, in Google's order. Pure
 * but for the counters of the world. Writes nothing to a socket.
 */
import { randomBytes } from "node:crypto";
import { credentialOf, unknownKeyError } from "./credentials.ts";
import type { Credential } from "./credentials.ts";
import { badField, payloadTooLarge, Refusal } from "./error-bodies.ts";
import type { ErrorSubject } from "./error-bodies.ts";
import { isAnswerFault, isSubstitute } from "./fault-rules.ts";
import type { ActiveFault } from "./fault-rules.ts";
import { asObject, asText, isObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { namedError } from "./named-errors.ts";
import { isGeneration, isOpenAi, routeOf, SERVICE_METHODS } from "./operations.ts";
import type { Route } from "./operations.ts";
import type { Project } from "./projects.ts";
import { errorReply, unknownPathReply } from "./reply.ts";
import type { Dialect, Reply } from "./reply.ts";
import { withoutPrefix } from "./routes/context.ts";
import { HANDLERS } from "./routes/handlers.ts";
import { substituteReply } from "./substitute-faults.ts";
import { gzipped, withTransportFault } from "./transport-faults.ts";
import type { World } from "./world.ts";

/** One complete request. */
export interface Arrival {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names; of a repeated header the first. */
  readonly header: (name: string) => string | undefined;
  /** `too-large` when it was more than the world's bound. */
  readonly body: Buffer | "too-large";
}

/** What was found out about the request on the way, for the log. */
export interface Decision {
  readonly reply: Reply;
  readonly key: string;
  readonly project: string;
  readonly operation: string;
  readonly model: string;
  readonly faults: readonly string[];
}

export function decide(world: World, arrival: Arrival): Decision {
  const route = routeOf(arrival.method, arrival.path);
  if (route === undefined) {
    const nobody = { key: "", project: "", operation: "", model: "", faults: [] };
    return { ...nobody, reply: unknownPathReply(arrival.path) };
  }
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
  const parsed = parseBody(arrival.body);
  const subject = subjectOf(world, route, key, project, parsed);
  const active = activeFaults(world, arrival, route, subject, project);
  const dialect = dialectOf(route, arrival.query, parsed);
  const found: Found = { world, arrival, route, credential, project, parsed, subject, dialect, active };
  return {
    reply: compressed(withTransportFaults(found, basicReply(found)), arrival),
    key,
    project: project?.name ?? "",
    operation: route.operation,
    model: subject.model,
    faults: active.map(({ fault }) => fault.kind),
  };
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
}

/** The body as an object: empty when there is none, undefined when it is not JSON of an object. */
function parseBody(body: Buffer | "too-large"): JsonObject | undefined {
  if (body === "too-large" || body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function subjectOf(
  world: World,
  route: Route,
  key: string,
  project: Project | undefined,
  parsed: JsonObject | undefined,
): ErrorSubject {
  const inBody = isOpenAi(route.operation) ? withoutPrefix(asText(asObject(parsed)["model"]) ?? "") : "";
  const model = route.model || inBody;
  return {
    key,
    projectNumber: project?.number ?? "0",
    model,
    resolvedModel: world.models.get(model)?.resolvesTo ?? model,
    version: route.version,
    method: SERVICE_METHODS[route.operation],
    operation: isOpenAi(route.operation) ? "generateContent" : route.operation,
  };
}

/** How this request's answer is framed, and its errors with it. */
function dialectOf(route: Route, query: URLSearchParams, parsed: JsonObject | undefined): Dialect {
  if (isOpenAi(route.operation)) return parsed?.["stream"] === true ? "openai-sse" : "openai-unary";
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

/** The reply without faults of transport. */
function basicReply(found: Found): Reply {
  const { active, subject, dialect } = found;
  const substitute = active.map(({ fault }) => fault).find(isSubstitute);
  if (substitute !== undefined) return substituteReply(substitute, subject, dialect);
  try {
    const project = admitted(found);
    return routeReply(found, project);
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error.answer, dialect);
    throw error;
  }
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
  const { world, arrival, route, subject, parsed, active } = found;
  if (arrival.body === "too-large") throw new Refusal(payloadTooLarge(world.requestBytesMax));
  if (parsed === undefined) {
    throw new Refusal(badField("", "Invalid JSON payload received. Expected an object at the root.\n"));
  }
  return HANDLERS[route.operation]({
    route,
    subject,
    project,
    query: arrival.query,
    body: parsed,
    models: world.models,
    quotas: world.quotas,
    nowMs: world.now(),
    answerFault: active.map(({ fault }) => fault).find(isAnswerFault),
    responseId: randomBytes(16).toString("base64url"),
  });
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
