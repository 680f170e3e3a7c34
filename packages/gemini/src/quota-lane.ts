/**
 * Which of a project's quotas a request draws on: the name under which keys are leased and rest.
 * Runs on the HTTP workers. A key out of its quota for one lane may serve every other.
 */
import type { Route } from "./route.ts";

/** Lane of requests that name no model: lists, files and the like have limits far above what a pool sends. */
export const LANE_WITHOUT_MODEL = "";

/** Operations that Google counts apart from a model's generation. */
const SEPARATE_LANES: ReadonlyMap<string, string> = new Map([
  ["countTokens", "count"],
  ["countTextTokens", "count"],
  ["batchGenerateContent", "batch"],
  ["asyncBatchEmbedContent", "batch"],
  ["models.get", "read"],
  ["openai.models.get", "read"],
]);

/**
 * @param model bare model name, from the path or the body; "" when there is none.
 * @returns the model itself for what it generates, `model#kind` for what is counted apart.
 */
export function quotaLane(route: Pick<Route, "operation">, model: string): string {
  if (model === "") return LANE_WITHOUT_MODEL;
  const separate = SEPARATE_LANES.get(route.operation);
  return separate === undefined ? model : `${model}#${separate}`;
}
