import { parse } from "yaml";
import { expect, test } from "vitest";
import { SCHEMA } from "../config.ts";
import { ConfigError } from "./config-error.ts";
import { ENTRIES } from "./entries.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { resolveConfig } from "./resolve.ts";

interface Rule {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Rule>>;
  readonly additionalProperties?: boolean;
  readonly anyOf?: readonly Rule[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Rule;
}

const SCHEMA_OF_FILE = jsonSchemaOf(SCHEMA) as Rule;

/** The part of JSON Schema that ours uses. */
function accepts(rule: Rule, value: unknown): boolean {
  const types = rule.type === undefined ? [] : [rule.type].flat();
  if (types.length > 0 && !types.some((type) => isOf(type, value))) return false;
  if (rule.anyOf !== undefined && !rule.anyOf.some((one) => accepts(one, value))) return false;
  if (rule.enum !== undefined && !rule.enum.includes(value)) return false;
  if (typeof value === "string")
    return rule.pattern === undefined || new RegExp(rule.pattern, "u").test(value);
  if (typeof value === "number") return value >= (rule.minimum ?? value) && value <= (rule.maximum ?? value);
  if (Array.isArray(value)) return value.every((item) => accepts(rule.items ?? {}, item));
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, inner]) => {
    const property = rule.properties?.[name];
    return property === undefined ? rule.additionalProperties !== false : accepts(property, inner);
  });
}

function isOf(type: string, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}

const SAMPLE = `
$schema: ./docs/config.schema.json
port: 8080
pathPrefix: /gw
authKey:
  - alice=replace-this-secret
  - bob=replace-this-one-too
logLevel: debug
requestLog: false
proxy: socks5://127.0.0.1:1080
shutdownGrace: 45
lease:
  maxWait: 2s
limits:
  body: 20MB
  bodyMemory: 1073741824
cors:
  origins: [https://app.example]
rest:
`;

test("the schema and the gateway accept the same file", () => {
  expect(accepts(SCHEMA_OF_FILE, parse(SAMPLE))).toBe(true);
  const { config } = resolveConfig({ argv: { config: "x" }, env: {}, readFile: () => SAMPLE, cores: 1 });
  expect(config.limits.bodyMemoryBytes).toBe(1024 ** 3);
  expect(config.shutdownGraceMs).toBe(45_000);
});

test.each([
  "prot: 1",
  "port: 70000",
  "port: 1.5",
  "lease: 5s",
  "lease: {maxwait: 1s}",
  "logLevel: loud",
  "lease: {ttl: soon}",
  "limits: {body: -1}",
  "config: x",
  "requestLog: 5",
])("the schema and the gateway both refuse %s", (text) => {
  expect(accepts(SCHEMA_OF_FILE, parse(text))).toBe(false);
  expect(() => resolveConfig({ argv: { config: "x" }, env: {}, readFile: () => text, cores: 1 })).toThrow(
    ConfigError,
  );
});

test("every option of the file is in the schema, with its manual", () => {
  for (const { path, option } of ENTRIES.filter((entry) => entry.option.inFile !== false)) {
    const names = path.split(".");
    const rule = names.reduce<Rule | undefined>((node, name) => node?.properties?.[name], SCHEMA_OF_FILE);
    expect(rule).toMatchObject({ description: expect.stringContaining(option.manual) as string });
  }
});
