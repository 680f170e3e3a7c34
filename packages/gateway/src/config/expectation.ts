/**
 * Says in words what an option accepts and what its default is: one source for error texts, help and docs.
 * Pure; any thread may run it.
 */
import { formatDuration, parseDuration } from "./duration.ts";
import type { Option, OptionValue } from "./option.ts";
import { formatSize, parseSize } from "./size.ts";
import { maskUrl } from "./url.ts";

/** What a value must be, to follow "must be": `a whole number of threads from 1 to 256`. */
export function expectationOf(option: Option): string {
  switch (option.kind) {
    case "integer":
      return `a whole number${option.unit === undefined ? "" : ` of ${option.unit}`} from ${option.min} to ${option.max}`;
    case "number":
      return `a number from ${option.min} to ${option.max}`;
    case "duration":
      return `a time from ${tidyDuration(option.min)} to ${tidyDuration(option.max)}, written as 500ms, 30s, 5m, 12h or 7d${orWord(option.endless)}`;
    case "size":
      return `a size from ${tidySize(option.min)} to ${tidySize(option.max)}, written as 64KB, 100MB or 2GB`;
    case "boolean":
      return "true or false";
    case "choice":
      return `one of ${option.choices.join(", ")}`;
    case "text":
      return option.form;
    case "list":
      return `${option.form}, separated by commas, or ${option.none}`;
    case "secret-list":
      return "secrets, each SECRET or NAME=SECRET, separated by commas, without spaces, and none of them twice";
    case "url":
      return `a URL such as ${option.schemes[0]}://${option.allows === "path" ? "host/path" : "user:password@host:port"}${otherSchemes(option.schemes)}, without ${option.allows === "path" ? "a user name" : "a path"}, query or fragment`;
  }
}

/** What a value may be in the fewest characters, for the help: `1..256`, `auto|json|pretty`; "" when nothing bounds it. */
export function boundsOf(option: Option): string {
  switch (option.kind) {
    case "integer":
    case "number":
      return `${option.min}..${option.max}`;
    case "duration":
      return `${tidyDuration(option.min)}..${tidyDuration(option.max)}`;
    case "size":
      return `${tidySize(option.min)}..${tidySize(option.max)}`;
    case "choice":
      return option.choices.join("|");
    case "boolean":
    case "text":
    case "list":
    case "secret-list":
    case "url":
      return "";
  }
}

/** The default in words or as it would be written; "" when there is none. */
export function defaultOf(option: Option): string {
  if (option.kind === "secret-list") return "";
  if (typeof option.default === "object" && "from" in option.default) return option.default.text;
  if (option.kind === "duration") {
    return option.default === option.endless ? option.default : tidyDuration(option.default);
  }
  return String(option.default);
}

/** A resolved value as it would be written, with every secret as `****`; "" for none. */
export function showValue(option: Option, value: OptionValue): string {
  if (typeof value === "number") {
    if (option.kind === "duration") {
      return value === Number.POSITIVE_INFINITY ? (option.endless ?? "") : formatDuration(value);
    }
    return option.kind === "size" ? formatSize(value) : String(value);
  }
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return option.kind === "url" ? maskUrl(value) : value;
  if (value.length === 0) return option.kind === "list" ? option.none : "";
  return value.map((item) => (typeof item === "string" ? item : `${item.name}=****`)).join(",");
}

function tidyDuration(text: string): string {
  return formatDuration(parseDuration(text) ?? 0);
}

function tidySize(text: string): string {
  return formatSize(parseSize(text) ?? 0);
}

function orWord(word: string | undefined): string {
  return word === undefined ? "" : `, or ${word}`;
}

function otherSchemes(schemes: readonly string[]): string {
  return schemes.length === 1 ? "" : ` (or ${schemes.slice(1).join(", ")})`;
}
