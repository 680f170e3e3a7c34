/**
 * Puts models in the place of their aliases, in a request's line and body, so that nothing behind this knows an alias:
 * lanes, limits, the log and Google hear of the model. Worker threads. Where no alias is configured it costs nothing.
 */
import type { BodyReading } from "@gemini-gateway/gemini/resources/body-reading";
import {
  aliasEdits,
  modelForAlias,
  type ModelAliases,
  pathWithoutAlias,
} from "@gemini-gateway/gemini/resources/model-alias";
import type { RequestBody } from "./request-body.ts";

/** Where ephemeral tokens are made, in whose bodies a setup may name a model. */
const TOKENS = "/auth_tokens";

/** The target with the model in place of an alias; the same string when it names none. */
export function targetWithoutAlias(aliases: ModelAliases, target: string): string {
  return aliases.size === 0 ? target : pathWithoutAlias(aliases, target);
}

/**
 * Edits the body where it names an alias.
 * @param target as sent: where it named an alias, the requests inside the body may too
 * @param reading of the body, when it was read already; undefined for one that is no JSON
 * @returns the reading as it would be of the edited body, but for offsets
 */
export function withoutAliases(
  aliases: ModelAliases,
  target: string,
  body: RequestBody,
  reading: BodyReading | undefined,
): BodyReading | undefined {
  if (aliases.size === 0 || reading === undefined) return reading;
  const model = reading.model === undefined ? undefined : modelForAlias(aliases, reading.model);
  const isInside = targetWithoutAlias(aliases, target) !== target || target.includes(TOKENS);
  if (model !== undefined && !isInside && reading.modelSpan !== undefined)
    body.edit([{ ...reading.modelSpan, text: model }]);
  else if (model !== undefined || isInside) body.edit(aliasEdits(aliases, body.whole()));
  return model === undefined ? reading : { ...reading, model };
}
