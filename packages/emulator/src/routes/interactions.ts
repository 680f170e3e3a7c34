/**
 * The Interactions API: create (whole, as a stream, in the background), get (a resumed stream too), cancel, delete.
 * A background interaction is done after some polls. Everything belongs to the project that created it.
 */
import { answerTo } from "../answer.ts";
import type { Answer } from "../answer.ts";
import { answerPart } from "../continuation.ts";
import { badRequest, Refusal, upstreamError } from "../error-bodies.ts";
import { interactionsReply } from "../framing.ts";
import { eventsOf, nativeRequest, stepsOf, usageOf } from "../interaction-turn.ts";
import { asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { nativePrompt } from "../prompt.ts";
import { notFound } from "../resource-errors.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { InteractionRecord, InteractionStatus } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, newId, owned, timestamp } from "./access.ts";
import { agentModel, newEnvironment } from "./collections.ts";
import { charge, requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { filesAsked } from "./made-files.ts";
import { checkReferences } from "./references.ts";

/** Google keeps them for 55 days on the paid tier, for a day on the free one. Milliseconds. */
const INTERACTION_LIFE_MS = { paid: 55 * 24 * 3_600_000, free: 24 * 3_600_000 } as const;

export function createInteraction(context: RouteContext): Reply {
  const { body, nowMs, project } = context;
  checkReferences(context);
  const { answer, status, input } = answered(context);
  const id = `v1_${newId(48)}`;
  const environment = environmentOf(context);
  const finished = bodyOf(context, { id, answer, status, environment, input });
  const isBackground = body["background"] === true;
  const record: InteractionRecord = {
    id,
    body: finished,
    finalStatus: status,
    events: () => eventsOf({ answer, finished }),
    status: isBackground ? "in_progress" : status,
    pollsLeft: isBackground ? context.resources.jobPolls : 0,
  };
  if (body["store"] !== false) {
    const expiresAtMs = nowMs + INTERACTION_LIFE_MS[project.tier];
    kept(context, context.resources.interactions, `interactions/${id}`, record, expiresAtMs);
  }
  return body["stream"] === true ? streamOf(record, answer.intervalMs) : jsonReply(shown(record, false));
}

interface Answered {
  readonly answer: Answer;
  readonly status: InteractionStatus;
  /** What is shown as `input`; a continued interaction keeps that of the one before. */
  readonly input: unknown;
}

function answered(context: RouteContext): Answered {
  const { body, project, responseId, answerFault: fault } = context;
  const token = asText(body["continuation_token"]);
  const input = body["input"] ?? (token === undefined ? undefined : previousInput(context));
  if (input === undefined) throw new Refusal(badRequest("The value of 'input' is required."));
  const name = asText(body["model"]) ?? agentModel(context);
  const model = requiredModel(context, name, "generateContent");
  const request = nativeRequest({ ...body, input });
  const prompt = nativePrompt(request);
  charge(context, model, { family: "generate", requests: 1, tokens: prompt.tokens });
  const cachedTokens = context.resources.implicitCache.cachedTokens(project.name, model.resolvesTo, request);
  const { part, continuationToken } = answerPart(prompt.text, token, project.name);
  const facts = {
    prompt,
    projectName: project.name,
    model,
    responseId,
    fault,
    cachedTokens,
    part,
    continuationToken,
    files: filesAsked(context, prompt.text),
  };
  const answer = answerTo(facts);
  const wantsCall = stepsOf(answer).some(({ type }) => type === "function_call");
  const status =
    continuationToken !== undefined ? "requires_continuation" : wantsCall ? "requires_action" : "completed";
  return { answer, status, input };
}

function previousInput(context: RouteContext): unknown {
  const id = asText(context.body["previous_interaction_id"]);
  const previous = context.resources.interactions.find(`interactions/${id ?? ""}`, context.nowMs);
  return previous?.value.body["input"];
}

/** A new environment for a request that asks for one; the one it names otherwise. */
function environmentOf(context: RouteContext): string | undefined {
  const { environment, environment_id: id } = context.body;
  if (typeof environment === "object" || environment === "remote") return newEnvironment(context);
  return asText(environment) ?? asText(id);
}

interface Made {
  readonly id: string;
  readonly answer: Answer;
  readonly status: InteractionStatus;
  readonly environment: string | undefined;
  readonly input: unknown;
}

function bodyOf({ body, nowMs }: RouteContext, { id, answer, status, environment, input }: Made): JsonObject {
  const steps = stepsOf(answer);
  const token = answer.chunk(answer.chunkCount - 1).continuationToken;
  const created = timestamp(nowMs);
  const echoed = ["model", "agent", "previous_interaction_id"].filter((name) => body[name] !== undefined);
  return {
    id,
    object: "interaction",
    ...Object.fromEntries(echoed.map((name) => [name, body[name]])),
    status,
    created,
    updated: created,
    ...(environment !== undefined && { environment_id: environment }),
    ...(token !== undefined && { continuation_token: token }),
    input,
    steps,
    usage: usageOf(answer),
  };
}

/** The interaction as it stands: without its results while it is in progress. */
function shown({ body, status }: InteractionRecord, withInput: boolean): JsonObject {
  const { steps, usage, input, ...head } = body;
  const results = status === "in_progress" || status === "cancelled" ? {} : { steps, usage };
  return { ...head, status, ...(withInput && { input }), ...results };
}

function streamOf({ events, body }: InteractionRecord, intervalMs: number, after = -1): Reply {
  const { input: _input, ...visible } = body;
  const rest = events()
    .slice(after + 1)
    .map((event) =>
      event["event_type"] === "interaction.completed" ? { ...event, interaction: visible } : event,
    );
  return interactionsReply(rest, intervalMs);
}

function interactionOfPath(context: RouteContext): Entry<InteractionRecord> {
  const name = `interactions/${context.route.ids[0] ?? ""}`;
  return owned(context, context.resources.interactions, name, notFound());
}

/** One poll, or the stream from after `last_event_id`. */
export function getInteraction(context: RouteContext): Reply {
  const { value } = interactionOfPath(context);
  if (context.query.get("stream") === "true") {
    value.status = value.status === "in_progress" ? value.finalStatus : value.status;
    return streamOf(value, 0, positionOf(value, context.query.get("last_event_id")));
  }
  if (value.status === "in_progress") {
    value.pollsLeft -= 1;
    if (value.pollsLeft <= 0) value.status = value.finalStatus;
  }
  return jsonReply(shown(value, context.query.get("include_input") === "true"));
}

function positionOf({ events }: InteractionRecord, lastEventId: string | null): number {
  if (lastEventId === null || lastEventId === "") return -1;
  const position = events().findIndex((event) => event["event_id"] === lastEventId);
  if (position < 0)
    throw new Refusal(upstreamError(416, "OUT_OF_RANGE", "last_event_id is not of this interaction."));
  return position;
}

export function cancelInteraction(context: RouteContext): Reply {
  const { value } = interactionOfPath(context);
  if (value.status !== "in_progress") {
    throw new Refusal(upstreamError(400, "FAILED_PRECONDITION", "The interaction is not in progress."));
  }
  value.status = "cancelled";
  return jsonReply(shown(value, false));
}

export function deleteInteraction(context: RouteContext): Reply {
  context.resources.interactions.remove(interactionOfPath(context).name);
  return jsonReply({});
}
