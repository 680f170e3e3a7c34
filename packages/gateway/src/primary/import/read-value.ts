/** Reads one value of an original's `config.py` the way its name wants. Pure. */
import type { PythonSetting, PythonValue } from "./python-config.ts";
import { plainName, type SettingMeaning, type TimeUnit } from "./setting-names.ts";

export type FoundValues =
  /** Values as they may stand in our configuration file, not checked yet; none when the original has it switched off. */
  | { readonly kind: "values"; readonly values: readonly OptionText[] }
  | { readonly kind: "left"; readonly why: string };

export interface OptionText {
  readonly option: string;
  readonly value: unknown;
}

const UNIT_LETTERS: Readonly<Record<TimeUnit, string>> = {
  ms: "ms",
  seconds: "s",
  minutes: "m",
  hours: "h",
  days: "d",
};

/** Which of our intervals an original's test after this status is. */
const INTERVAL_OPTIONS: readonly (readonly [RegExp, string])[] = [
  [/^(?:200|2XX|OK|SUCCESS)$/i, "probing.afterSuccess"],
  [/^(?:403|FORBIDDEN)$/i, "probing.afterForbidden"],
  [/^(?:4XX|400|CLIENT_ERROR|OTHER)$/i, "probing.afterRefusal"],
  [/^(?:5XX|500|SERVER_ERROR)$/i, "probing.afterServerError"],
];

const LEVELS: Readonly<Record<string, string>> = { warning: "warn", critical: "fatal", notset: "trace" };

/** `40 per minute`, `40/minute`, `3600 per 1 hour`. */
const RATE = /(\d{1,9})\s*(?:per|\/)\s*(?:1\s*)?(minute|hour)/gi;

/** @param names every setting by its name in capitals, for switches that belong to one */
export function valuesFor(
  setting: PythonSetting,
  names: ReadonlyMap<string, PythonValue>,
  meanings: readonly SettingMeaning[],
): FoundValues {
  const { base, unit } = plainName(setting.name);
  // Times that are part of what is counted stay in the name: REQUESTS_PER_MINUTE is no time.
  const meaning = meanings.find((one) => one.names.includes(base));
  if (meaning === undefined) return { kind: "left", why: "has no counterpart here" };
  const values = read(meaning, setting.value, unit, base, names);
  return values === undefined
    ? { kind: "left", why: `its value is not one that ${meaning.option} can be read from` }
    : { kind: "values", values };
}

function read(
  { option, reading }: SettingMeaning,
  value: PythonValue,
  unit: TimeUnit | undefined,
  base: string,
  names: ReadonlyMap<string, PythonValue>,
): readonly OptionText[] | undefined {
  const one = (text: unknown): readonly OptionText[] | undefined =>
    text === undefined ? undefined : [{ option, value: text }];
  switch (reading) {
    case "plain":
      return one(typeof value === "string" || typeof value === "number" ? value : undefined);
    case "seconds":
    case "minutes":
    case "hours":
    case "days":
      return option === "ip.ban" && isEndless(value)
        ? one("permanent")
        : one(timeText(value, unit ?? reading));
    case "auth-keys":
      return switchedOff(value) ? [] : one(authKeys(value));
    case "proxy":
      return isProxyOff(names) || switchedOff(value) ? [] : one(proxyUrl(value, base));
    case "rates":
      return rates(value, unit);
    case "threshold":
      return one(threshold(value));
    case "level":
      return one(typeof value === "string" ? level(value) : undefined);
    case "retries":
      return one(typeof value === "number" ? value + (base.includes("ATTEMPTS") ? 0 : 1) : undefined);
    case "timeouts":
      return timeouts(option, value, unit);
    case "intervals":
      return intervals(option, value, unit);
    case "list":
      return one(listOf(value));
  }
}

function timeText(value: PythonValue, unit: TimeUnit): string | undefined {
  return typeof value === "number" && value >= 0 ? `${value}${UNIT_LETTERS[unit]}` : undefined;
}

/** A ban without an end, as originals write it. */
function isEndless(value: PythonValue): boolean {
  return value === null || value === 0 || value === -1 || value === true;
}

function switchedOff(value: PythonValue): boolean {
  return value === null || value === "" || value === false;
}

function isProxyOff(names: ReadonlyMap<string, PythonValue>): boolean {
  return ["USE_PROXY", "PROXY_ENABLED", "ENABLE_PROXY"].some((name) => names.get(name) === false);
}

function authKeys(value: PythonValue): readonly string[] | undefined {
  if (value instanceof Map) {
    const named = [...(value as ReadonlyMap<string, PythonValue>)];
    const keys = named.flatMap(([name, secret]) => (typeof secret === "string" ? [`${name}=${secret}`] : []));
    return keys.length === named.length ? keys : undefined;
  }
  return listOf(value);
}

/** The first of several; that of https where they are told apart. */
function proxyUrl(value: PythonValue, base: string): string | undefined {
  if (Array.isArray(value)) return proxyUrl((value as readonly PythonValue[])[0] ?? "", base);
  if (value instanceof Map) {
    const proxies = value as ReadonlyMap<string, PythonValue>;
    return proxyUrl(proxies.get("https") ?? proxies.get("http") ?? proxies.get("all") ?? "", base);
  }
  if (typeof value !== "string" || value === "") return undefined;
  if (value.includes("://")) return value;
  return `${base.includes("SOCKS") ? "socks5" : "http"}://${value}`;
}

function rates(value: PythonValue, unit: TimeUnit | undefined): readonly OptionText[] | undefined {
  if (typeof value === "number") {
    return [{ option: unit === "hours" ? "ip.perHour" : "ip.perMinute", value }];
  }
  const text = typeof value === "string" ? value : Array.isArray(value) ? value.join(";") : "";
  const found = [...text.matchAll(RATE)].map(([, count, span]) => ({
    option: span?.toLowerCase() === "hour" ? "ip.perHour" : "ip.perMinute",
    value: Number(count),
  }));
  return found.length === 0 ? undefined : found;
}

/** A share is written as a fraction or a percentage, a count as a whole number. */
function threshold(value: PythonValue): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "number" || value < 0) return undefined;
  return value > 0 && value < 1 ? `${Math.round(value * 100)}%` : String(value);
}

function level(text: string): string {
  const lower = text.toLowerCase();
  return LEVELS[lower] ?? lower;
}

/** The HTTP library of the original takes one time, or one to connect and one to read. */
function timeouts(
  option: string,
  value: PythonValue,
  unit: TimeUnit | undefined,
): readonly OptionText[] | undefined {
  if (Array.isArray(value) && value.length === 2) {
    const [connect, firstByte] = (value as readonly PythonValue[]).map((one) =>
      timeText(one, unit ?? "seconds"),
    );
    if (connect === undefined || firstByte === undefined) return undefined;
    return [
      { option: "timeouts.connect", value: connect },
      { option, value: firstByte },
    ];
  }
  const text = timeText(value, unit ?? "seconds");
  return text === undefined ? undefined : [{ option, value: text }];
}

function intervals(
  option: string,
  value: PythonValue,
  unit: TimeUnit | undefined,
): readonly OptionText[] | undefined {
  if (!(value instanceof Map)) {
    const text = timeText(value, unit ?? "seconds");
    return text === undefined ? undefined : [{ option, value: text }];
  }
  const found = [...(value as ReadonlyMap<string, PythonValue>)].flatMap(([status, time]) => {
    const known = INTERVAL_OPTIONS.find(([pattern]) => pattern.test(status));
    const text = timeText(time, unit ?? "seconds");
    return known === undefined || text === undefined ? [] : [{ option: known[1], value: text }];
  });
  return found.length === 0 ? undefined : found;
}

function listOf(value: PythonValue): readonly string[] | undefined {
  if (typeof value === "string")
    return value === "" ? undefined : value.split(",").map((item) => item.trim());
  if (value instanceof Map) return [...(value as ReadonlyMap<string, PythonValue>).keys()];
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const items = value as readonly PythonValue[];
  return items.every((item) => typeof item === "string") ? items : undefined;
}
