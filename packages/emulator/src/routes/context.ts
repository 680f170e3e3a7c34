/**
 * What every route is given, and the steps they share: finding the model, charging quota. Pure but for the quota
 * counters. A route answers with a reply or throws a Refusal.
 */
import type { AnswerFault } from "../fault-rules.ts";
import { modelNotFound, Refusal } from "../error-bodies.ts";
import type { ErrorSubject } from "../error-bodies.ts";
import type { JsonObject } from "../json.ts";
import type { Model } from "../models.ts";
import { namedError } from "../named-errors.ts";
import { mayNotAccess } from "../resource-errors.ts";
import type { Route } from "../operations.ts";
import { limitsOf } from "../projects.ts";
import type { Project } from "../projects.ts";
import type { QuotaBuckets } from "../quota-buckets.ts";
import { quotaError } from "../quota-errors.ts";
import type { QuotaFamily } from "../quota-errors.ts";
import type { Reply } from "../reply.ts";
import type { Links } from "../resources/links.ts";
import type { Resources } from "../resources/resources.ts";
import type { TouchList } from "../resources/touches.ts";

export interface RouteContext {
  readonly route: Route;
  readonly subject: ErrorSubject;
  readonly project: Project;
  readonly query: URLSearchParams;
  /** Lower-case names; of a repeated header the first. */
  readonly header: (name: string) => string | undefined;
  /** The parsed body; empty when the request had none, or one that is no JSON. */
  readonly body: JsonObject;
  /** The body as it came. */
  readonly rawBody: Buffer;
  readonly resources: Resources;
  readonly links: Links;
  /** Told of every resource the request names. */
  readonly touches: TouchList;
  readonly models: ReadonlyMap<string, Model>;
  readonly quotas: QuotaBuckets;
  readonly nowMs: number;
  readonly answerFault: AnswerFault | undefined;
  /** Google's looks like base64url of 16 bytes. */
  readonly responseId: string;
}

/** What finding a model and charging for it needs; a Live session has no more. */
export type ModelContext = Pick<
  RouteContext,
  "subject" | "project" | "models" | "quotas" | "resources" | "touches" | "nowMs"
>;

export type RouteHandler = (context: RouteContext) => Reply;

/** The model of a name as requests write it, with or without `models/`. Refuses what is unknown, unfit or closed. */
export function requiredModel(context: ModelContext, name: string, method: string): Model {
  const model = modelNamed(context, withoutPrefix(name));
  if (model === undefined || !model.methods.includes(method))
    throw new Refusal(modelNotFound(context.subject));
  if (context.project.closedModels.has(model.name)) {
    throw new Refusal(namedError("model-forbidden", context.subject));
  }
  return model;
}

/** A tuned model answers as its base model does, for its own project alone. */
function modelNamed(context: ModelContext, name: string): Model | undefined {
  if (!name.startsWith("tunedModels/")) return context.models.get(name);
  const { resources, touches, project, nowMs } = context;
  const tuned = resources.tunedModels.find(name, nowMs);
  const isOwn = tuned?.owner === project.name;
  touches.add(name, tuned?.owner ?? "", isOwn ? "used" : "refused");
  if (tuned === undefined || !isOwn) throw new Refusal(mayNotAccess("Tuned Model", name));
  return context.models.get(withoutPrefix(tuned.value.baseModel));
}

export function withoutPrefix(name: string): string {
  return name.startsWith("models/") ? name.slice("models/".length) : name;
}

export interface Cost {
  readonly family: QuotaFamily;
  /** 1, or the number of texts of an embedding call. */
  readonly requests: number;
  readonly tokens: number;
}

/** Charges the project; refuses with the 429 of the buckets that have no room. */
export function charge(context: ModelContext, model: Model, cost: Cost): void {
  const { project, quotas, nowMs } = context;
  const { requests, tokens } = cost;
  const limits = limitsOf(project, model.resolvesTo);
  const verdict = quotas.charge(
    { project: project.name, model: model.resolvesTo, limits, requests, tokens },
    nowMs,
  );
  if (verdict.kind === "charged") return;
  const { violations, retryDelayMs } = verdict;
  const { tier } = project;
  throw new Refusal(
    quotaError({ model: model.resolvesTo, tier, family: cost.family, violations, retryDelayMs }),
  );
}
