/** Which bucket of quota a request is counted in: Google keeps them apart by model and by kind of call. */
/** Requests that belong to no model: listing models, files and the like. */
const LANE_WITHOUT_MODEL = "*";

/** Calls on a model that have a quota of their own: being out of the one says nothing about the other. */
const APART: ReadonlySet<string> = new Set([
  "countTokens",
  "batchGenerateContent",
  "asyncBatchEmbedContent",
  // Live is limited by sessions at one time, which says nothing of the model's other calls.
  "bidiGenerateContent",
  "bidiGenerateMusic",
  "bidi.other",
]);

/**
 * The lane of a request: the model's name, `model:operation` for calls counted apart, `*` without a model.
 * @param model bare model name, "" when there is none
 */
export function quotaLane(route: { readonly operation: string }, model: string): string {
  if (model === "") return LANE_WITHOUT_MODEL;
  return APART.has(route.operation) ? `${model}:${route.operation}` : model;
}
