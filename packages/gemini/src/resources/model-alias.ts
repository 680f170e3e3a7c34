/**
 * Names of other vendors' models for clients whose names are fixed: `gpt-4o-mini` → `gemini-…`. Pure; runs on the HTTP
 * workers, where the operator has configured aliases. Google never sees an alias.
 */
import { decodeLeniently } from "../query-string.ts";
import type { Edit } from "./body-edits.ts";
import type { BodyReading } from "./body-reading.ts";

/** Bare model names by alias, both without `models/`. */
export type ModelAliases = ReadonlyMap<string, string>;

const MODELS = "models/";

/** The model an alias stands for, with the prefix `models/` if the alias had it; undefined for what is no alias. */
export function modelForAlias(aliases: ModelAliases, name: string): string | undefined {
  const prefix = name.startsWith(MODELS) ? MODELS : "";
  const model = aliases.get(name.slice(prefix.length));
  return model === undefined ? undefined : prefix + model;
}

/** What to change in a body for an alias: nothing, the one string, or `unclear` which of several `model` counts. */
export type AliasEdit =
  | { readonly kind: "none" }
  | { readonly kind: "edit"; readonly edit: Edit }
  | { readonly kind: "unclear" };

/** @param reading of the body whose top-level `model` may be an alias. */
export function aliasEdit(aliases: ModelAliases, { model, modelSpan }: BodyReading): AliasEdit {
  const text = model === undefined ? undefined : modelForAlias(aliases, model);
  if (text === undefined) return { kind: "none" };
  return modelSpan === undefined ? { kind: "unclear" } : { kind: "edit", edit: { ...modelSpan, text } };
}

/**
 * A path with the model its alias stands for: `/v1beta/models/gpt-4o-mini:generateContent`.
 * @param path may have a query, which stays as it is.
 * @returns the same string when it names no alias.
 */
export function pathWithoutAlias(aliases: ModelAliases, path: string): string {
  const [, before, name, after] = /^([^?]*?\/models\/)([^/:?]+)(.*)$/s.exec(path) ?? [];
  if (before === undefined || name === undefined) return path;
  const model = aliases.get(decodeLeniently(name));
  return model === undefined ? path : before + encodeURIComponent(model) + (after ?? "");
}
