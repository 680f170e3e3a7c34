/**
 * Turns the settings of an original's `config.py` into options of ours. Pure. A value that our option does not accept is
 * told and left out; no value is repeated in what is told, for it may be a secret.
 */
import { ENTRIES } from "../../config/entries.ts";
import { expectationOf } from "../../config/expectation.ts";
import { parseValue } from "../../config/parse-value.ts";
import type { PythonConfig, PythonSetting, PythonValue } from "./python-config.ts";
import { valuesFor } from "./read-value.ts";
import { BAN_NAMES, MEANINGS, PLACE_NAMES, plainName } from "./setting-names.ts";

export interface TakenSetting {
  /** Name in the original. */
  readonly name: string;
  readonly line: number;
  /** Path of our option. */
  readonly option: string;
  /** As it may stand in our configuration file. */
  readonly value: unknown;
}

export interface LeftSetting {
  readonly name: string;
  readonly line: number;
  readonly why: string;
}

export interface MappedSettings {
  readonly taken: readonly TakenSetting[];
  readonly left: readonly LeftSetting[];
  /** Words for networks to ban. */
  readonly bans: readonly string[];
  /** Where the original keeps its keys and its database, when it says so. */
  readonly keysDir?: string;
  readonly database?: string;
}

/** Names that Python gives itself, and private ones. */
const OWN_NAME = /^_/;

export function mapSettings({ settings, notUnderstood }: PythonConfig): MappedSettings {
  const taken = new Map<string, TakenSetting>();
  const left: LeftSetting[] = notUnderstood.map(({ line, what }) => ({
    name: what,
    line,
    why: "is computed, and nothing of the file is run",
  }));
  const bans: string[] = [];
  const places: { keysDir?: string; database?: string } = {};
  const names = new Map(settings.map((setting) => [setting.name.toUpperCase(), setting.value]));
  for (const setting of joined(settings)) {
    const { base } = plainName(setting.name);
    if (OWN_NAME.test(setting.name)) continue;
    if (BAN_NAMES.includes(base)) bans.push(...textsOf(setting.value));
    else if (isOneOf(PLACE_NAMES.keys, base) && typeof setting.value === "string")
      places.keysDir = setting.value;
    else if (isOneOf(PLACE_NAMES.database, base) && typeof setting.value === "string")
      places.database = setting.value;
    else takeSetting(setting, names, taken, left);
  }
  return { taken: [...taken.values()], left: left.toSorted((a, b) => a.line - b.line), bans, ...places };
}

function takeSetting(
  setting: PythonSetting,
  names: ReadonlyMap<string, PythonValue>,
  taken: Map<string, TakenSetting>,
  left: LeftSetting[],
): void {
  const { name, line } = setting;
  const found = valuesFor(setting, names, MEANINGS);
  if (found.kind === "left") {
    left.push({ name, line, why: found.why });
    return;
  }
  for (const { option, value } of found.values) {
    const entry = ENTRIES.find(({ path }) => path === option);
    if (entry === undefined || parseValue(entry.option, value) === undefined) {
      const wanted = entry === undefined ? "" : ` must be ${expectationOf(entry.option)}`;
      left.push({ name, line, why: `${option}${wanted}` });
    } else {
      taken.set(option, { name, line, option, value });
    }
  }
}

/** A proxy may be told in parts: host, port, user and password become one URL under the name of the host. */
function joined(settings: readonly PythonSetting[]): PythonSetting[] {
  const byName = new Map(settings.map((setting) => [setting.name.toUpperCase(), setting]));
  const used = new Set<string>();
  const result = settings.map((setting): PythonSetting => {
    const [, stem] = /^((?:\w+_)?(?:SOCKS5?|PROXY))_HOST$/.exec(setting.name.toUpperCase()) ?? [];
    if (stem === undefined) return setting;
    const part = (name: string): string => {
      used.add(`${stem}_${name}`);
      return plainText(byName.get(`${stem}_${name}`)?.value);
    };
    const user = part("USER") || part("USERNAME");
    const password = part("PASS") || part("PASSWORD");
    const login = user === "" ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
    const port = part("PORT");
    const host = `${login}${plainText(setting.value)}${port === "" ? "" : `:${port}`}`;
    return {
      ...setting,
      name: stem.includes("SOCKS") ? "SOCKS5_PROXY" : "PROXY",
      value: setting.value ? host : "",
    };
  });
  return result.filter(({ name }) => !used.has(name.toUpperCase()));
}

function plainText(value: PythonValue | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function textsOf(value: PythonValue): string[] {
  if (typeof value === "string") return value.split(",").map((word) => word.trim());
  if (Array.isArray(value)) return (value as readonly PythonValue[]).map(String);
  return value instanceof Map ? [...value.keys()] : [];
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
