/**
 * Names of other vendors' models for clients whose names are fixed: `gpt-4o-mini` → `gemini-…`. Pure; runs on the HTTP
 * workers, where the operator has configured aliases. Google never sees an alias.
 */
import { decodeLeniently } from "../query-string.ts";
import type { Edit } from "./body-edits.ts";
import { modelPlaces } from "./model-places.ts";

/** Bare model names by alias, both without `models/`. */
export type ModelAliases = ReadonlyMap<string, string>;

const MODELS = "models/";

/** The model an alias stands for, with the prefix `models/` if the alias had it; undefined for what is no alias. */
export function modelForAlias(aliases: ModelAliases, name: string): string | undefined {
  const prefix = name.startsWith(MODELS) ? MODELS : "";
  const model = aliases.get(name.slice(prefix.length));
  return model === undefined ? undefined : prefix + model;
}

/** What to change in a body, so that no alias is left where a model has to stand. */
export function aliasEdits(aliases: ModelAliases, body: Buffer): Edit[] {
  return modelPlaces(body).flatMap(({ start, end, name }) => {
    const text = modelForAlias(aliases, name);
    return text === undefined ? [] : [{ start, end, text }];
  });
}

/**
 * A path with the model its alias stands for: `/v1beta/models/gpt-4o-mini:generateContent`.
 * @param path may have a query, which stays as it is.
 * @returns the same string when it names no alias.
 */
export function pathWithoutAlias(aliases: ModelAliases, path: string): string {
  const [, before, name, after] = /^([^?]*?\/models\/)([^/:?]+)(.*)$/s.exec(path) ?? [];
  if (before === undefined || name === undefined) return path;
  const model = modelForAlias(aliases, decodeLeniently(name));
  return model === undefined ? path : before + encodeURIComponent(model) + (after ?? "");
}
