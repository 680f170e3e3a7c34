/**
 * Reads one given value by its option. The same writing means the same wherever it stands: a flag and an environment
 * variable bring texts, a file brings texts, numbers, booleans and lists. Pure; any thread may run it.
 */
import { parseAuthKeys } from "./auth-key.ts";
import { parseDuration } from "./duration.ts";
import type { ListOption, Option, OptionValue, TextOption } from "./option.ts";
import { parseSize } from "./size.ts";
import { parseUrl } from "./url.ts";

/** Most items of a list. */
export const LIST_ITEMS_MAX = 1_000;

const WHOLE_NUMBER = /^-?\d{1,15}$/;
const DECIMAL_NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  [false, false],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false],
]);

/** The value in its resolved form (milliseconds, bytes), or undefined when `raw` is not acceptable. */
export function parseValue(option: Option, raw: unknown): OptionValue | undefined {
  switch (option.kind) {
    case "integer":
      return within(parseNumber(raw, WHOLE_NUMBER), option.min, option.max);
    case "number":
      return within(parseNumber(raw, DECIMAL_NUMBER), option.min, option.max);
    case "duration":
      return option.endless !== undefined && raw === option.endless
        ? Number.POSITIVE_INFINITY
        : within(parseDuration(raw), parseDuration(option.min), parseDuration(option.max));
    case "size":
      return within(parseSize(raw), parseSize(option.min), parseSize(option.max));
    case "boolean":
      return BOOLEANS.get(typeof raw === "string" ? raw.trim().toLowerCase() : raw);
    case "choice":
      return option.choices.find((choice) => choice === raw);
    case "text":
      return parseText(option, raw);
    case "list":
      return parseList(option, raw);
    case "secret-list":
      return parseItems(raw, parseAuthKeys);
    case "url":
      return parseUrl(option, raw);
  }
}

function within(value: number | undefined, min = 0, max = 0): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function parseNumber(raw: unknown, form: RegExp): number | undefined {
  const text = typeof raw === "number" ? String(raw) : typeof raw === "string" ? raw.trim() : "";
  return form.test(text) ? Number(text) : undefined;
}

function parseText({ pattern, orNumber }: TextOption, raw: unknown): string | undefined {
  const text = orNumber === true && typeof raw === "number" ? String(raw) : raw;
  return typeof text === "string" && pattern.test(text) ? text : undefined;
}

function parseList(option: ListOption, raw: unknown): readonly string[] | undefined {
  return parseItems(raw, (items) => {
    if (items.length === 1 && items[0] === option.none) return [];
    const isGood = (item: string): boolean => option.pattern.test(item) && (option.accepts?.(item) ?? true);
    return items.every(isGood) ? items : undefined;
  });
}

/** Splits texts at commas; undefined when something is not a text, nothing is left, or there are too many items. */
function parseItems<T>(raw: unknown, parse: (items: readonly string[]) => T | undefined): T | undefined {
  const texts: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  if (!texts.every((text) => typeof text === "string")) return undefined;
  const items = texts
    .flatMap((text) => text.split(","))
    .map((item) => item.trim())
    .filter((item) => item !== "");
  return items.length === 0 || items.length > LIST_ITEMS_MAX ? undefined : parse(items);
}
