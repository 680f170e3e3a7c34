/**
 * Reading untrusted JSON, and writing it in the two spacings Google uses. Pure.
 * Every reader answers something usable whatever it is given; it never throws.
 */

export type JsonObject = { readonly [name: string]: unknown };

const NOTHING: JsonObject = Object.freeze({});

export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : NOTHING;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** A field by its camelCase name, or by the snake_case one that protobuf JSON takes too. */
export function fieldOf(object: JsonObject, camelName: string): unknown {
  const value = object[camelName];
  return value === undefined ? object[snakeCase(camelName)] : value;
}

export function snakeCase(camelName: string): string {
  return camelName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Unary bodies: two spaces of indent and a newline at the end. */
export function prettyJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Events of a stream: one line, `"name": value,"name": value`, a space after each colon and none after commas. */
export function eventJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(eventJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  const fields: string[] = [];
  for (const [name, field] of Object.entries(value)) {
    if (field !== undefined) fields.push(`${JSON.stringify(name)}: ${eventJson(field)}`);
  }
  return `{${fields.join(",")}}`;
}
