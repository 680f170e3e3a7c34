/** `models.list`, in pages whose tokens belong to one project, and `models.get`. */
import { badRequest, modelNotFound, Refusal } from "../error-bodies.ts";
import { modelResource } from "../models.ts";
import type { Model } from "../models.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { sealed, unsealed } from "../resources/sealed-text.ts";
import type { RouteContext } from "./context.ts";

const PAGE_SIZE_DEFAULT = 50;
const PAGE_SIZE_MAX = 1000;

/** The models a project may see. */
export function visibleModels({ models, project }: RouteContext): readonly Model[] {
  return [...models.values()].filter((model) => !project.closedModels.has(model.name));
}

export function listModels(context: RouteContext): Reply {
  const { query, project } = context;
  const asked = Number(query.get("pageSize") ?? 0);
  if (!Number.isInteger(asked) || asked < 0) throw new Refusal(badRequest("page_size must not be negative"));
  const size = Math.min(asked === 0 ? PAGE_SIZE_DEFAULT : asked, PAGE_SIZE_MAX);
  const start = pageStart(query.get("pageToken"), project.name);
  const all = visibleModels(context);
  const page = { models: all.slice(start, start + size).map(modelResource) };
  const next = start + size;
  return jsonReply(
    next < all.length ? { ...page, nextPageToken: sealed("models", project.name, String(next)) } : page,
  );
}

export function getModel(context: RouteContext): Reply {
  return jsonReply(modelResource(requiredVisible(context)));
}

/** The model of the path, if this project may see it. */
export function requiredVisible(context: RouteContext): Model {
  const model = visibleModels(context).find(({ name }) => name === context.route.model);
  if (model === undefined) throw new Refusal(modelNotFound(context.subject));
  return model;
}

/** Where a page starts; refuses a token that is not of this project, as a key of another project's would be. */
function pageStart(token: string | null, projectName: string): number {
  if (token === null || token === "") return 0;
  const found = unsealed("models", token);
  const start = Number(found?.payload);
  if (found?.owner !== projectName || !Number.isInteger(start)) {
    throw new Refusal(badRequest("Page token is invalid."));
  }
  return start;
}
