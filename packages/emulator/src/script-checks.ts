/**
 * Checks that say in one sentence what is wrong with a script file and where. Pure.
 * A check throws a {@link ScriptError}; it changes nothing and returns nothing.
 */
import { isObject } from "./json.ts";

/** What is wrong with a script, in words for its author: `faults[0].fault.kind: …`. */
export class ScriptError extends Error {
  constructor(where: string, what: string) {
    super(where === "" ? what : `${where}: ${what}`);
    this.name = "ScriptError";
  }
}

export type Check = (value: unknown, where: string) => void;
export type Fields = Readonly<Record<string, Check>>;

export const anything: Check = () => {};

export const text: Check = (value, where) => {
  if (typeof value !== "string") throw new ScriptError(where, "must be a text");
};

export const nonEmptyText: Check = (value, where) => {
  if (typeof value !== "string" || value === "")
    throw new ScriptError(where, "must be a text that is not empty");
};

export const flag: Check = (value, where) => {
  if (typeof value !== "boolean") throw new ScriptError(where, "must be true or false");
};

export function numberFrom(min: number, max: number): Check {
  return (value, where) => {
    if (typeof value === "number" && value >= min && value <= max) return;
    const bounds = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
    throw new ScriptError(where, `must be a number ${bounds}`);
  };
}

export function oneOf(choices: readonly string[]): Check {
  return (value, where) => {
    if (typeof value === "string" && choices.includes(value)) return;
    throw new ScriptError(where, `${JSON.stringify(value)} is not one of ${choices.join(", ")}`);
  };
}

export function listOf(item: Check): Check {
  return (value, where) => {
    if (!Array.isArray(value)) throw new ScriptError(where, "must be a list");
    for (const [index, entry] of value.entries()) item(entry, `${where}[${index}]`);
  };
}

export function mapOf(item: Check): Check {
  return (value, where) => {
    for (const [name, entry] of Object.entries(objectAt(value, where))) item(entry, inside(where, name));
  };
}

/** An object of these fields and no others. */
export function shapeOf(required: Fields, optional: Fields = {}): Check {
  const known = { ...required, ...optional };
  return (value, where) => {
    const object = objectAt(value, where);
    for (const name of Object.keys(required)) {
      if (object[name] === undefined) throw new ScriptError(where, `"${name}" is missing`);
    }
    for (const [name, field] of Object.entries(object)) {
      const check = Object.hasOwn(known, name) ? known[name] : undefined;
      if (check === undefined) {
        throw new ScriptError(where, `"${name}" is unknown; known are ${Object.keys(known).join(", ")}`);
      }
      check(field, inside(where, name));
    }
  };
}

/** An object whose `kind` decides its other fields. */
export function variantOf(variants: Readonly<Record<string, Check>>): Check {
  const kind = oneOf(Object.keys(variants));
  return (value, where) => {
    const object = objectAt(value, where);
    kind(object["kind"], inside(where, "kind"));
    variants[String(object["kind"])]?.(value, where);
  };
}

function objectAt(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new ScriptError(where, "must be an object");
  return value;
}

function inside(where: string, name: string): string {
  return where === "" ? name : `${where}.${name}`;
}
