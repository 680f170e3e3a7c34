/** Narrows parsed JSON of unknown shape. Used wherever an answer of the upstream is read, on any thread. */

/** A JSON object whose fields nobody has checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object; one without fields when it is none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The objects in an array; none when it is no array. */
export function fieldsIn(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** The value as a string; "" when it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
