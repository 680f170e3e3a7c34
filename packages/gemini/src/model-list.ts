/**
 * The list of models as the union of what several projects list: what the pool can serve. Pure; runs on the HTTP workers.
 * Native and OpenAI's list differ in form alone. Entries are passed on as they came.
 */
import { type Fields, fieldsIn, isFields, textOf } from "./json-fields.ts";
import type { ModelAliases } from "./resources/model-alias.ts";

/** Where a list has its models, and a model its name. */
export interface ModelListForm {
  readonly itemsField: "models" | "data";
  readonly idField: "name" | "id";
  /** Field with a name for people. */
  readonly titleField: "displayName" | "display_name";
}

export const NATIVE_MODELS: ModelListForm = {
  itemsField: "models",
  idField: "name",
  titleField: "displayName",
};
export const OPENAI_MODELS: ModelListForm = {
  itemsField: "data",
  idField: "id",
  titleField: "display_name",
};

const MODELS = "models/";

/** The models of one project's answer; undefined when it is no list. Never throws. */
export function modelsIn({ itemsField }: ModelListForm, body: Buffer): readonly Fields[] | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString("utf8"));
    if (!isFields(answer) || !Array.isArray(answer[itemsField])) return undefined;
    return fieldsIn(answer[itemsField]);
  } catch {
    return undefined;
  }
}

/** What one project lists, and of it the bare names of what it is known not to be allowed. */
export interface ProjectModels {
  readonly models: readonly Fields[];
  readonly closed: readonly string[];
}

/** Every model that some project may use, once, in the order of the projects. */
export function unionOfModels(
  { idField }: ModelListForm,
  projects: readonly ProjectModels[],
): readonly Fields[] {
  const union = new Map<string, Fields>();
  for (const { models, closed } of projects) {
    for (const model of models) {
      const id = textOf(model[idField]);
      if (id !== "" && !union.has(id) && !closed.includes(bare(id))) union.set(id, model);
    }
  }
  return [...union.values()];
}

/**
 * The list with an entry for every alias whose model is in it, in the words of that model. An alias that is called like a
 * model stands in its place.
 */
export function withAliases(
  form: ModelListForm,
  models: readonly Fields[],
  aliases: ModelAliases,
): readonly Fields[] {
  if (aliases.size === 0) return models;
  const { idField, titleField } = form;
  const byName = new Map(models.map((model) => [modelNameOf(form, model), model]));
  const others = models.filter((model) => !aliases.has(modelNameOf(form, model)));
  const named = [...aliases].flatMap(([alias, name]) => {
    const model = byName.get(name);
    if (model === undefined) return [];
    // OpenAI's clients look for the very name they know; to native ones every name begins with `models/`.
    const id = form === OPENAI_MODELS ? alias : MODELS + alias;
    return [{ ...model, [idField]: id, ...(titleField in model && { [titleField]: alias }) }];
  });
  return [...others, ...named];
}

/** Bare name of a model of the list; "" for what has none. */
export function modelNameOf({ idField }: ModelListForm, model: Fields): string {
  return bare(textOf(model[idField]));
}

/** The list as Google would write it. */
export function writeModelList(form: ModelListForm, models: readonly Fields[]): Buffer {
  const { itemsField } = form;
  const list = form === OPENAI_MODELS ? { object: "list", [itemsField]: models } : { [itemsField]: models };
  return Buffer.from(`${JSON.stringify(list, undefined, 2)}\n`);
}

function bare(name: string): string {
  return name.startsWith(MODELS) ? name.slice(MODELS.length) : name;
}
