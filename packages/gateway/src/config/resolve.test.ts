import { expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { ENTRIES } from "./entries.ts";
import { parseDuration } from "./duration.ts";
import { type ConfigSources, type ResolvedConfig, resolveConfig } from "./resolve.ts";
import { parseSize } from "./size.ts";

const SECRET = "s3cret-of-alice";

function resolve(sources: Partial<ConfigSources> & { readonly file?: string } = {}): ResolvedConfig {
  const { file, argv = {}, env = {}, cores = 4 } = sources;
  const readFile = sources.readFile ?? (() => file ?? "");
  return resolveConfig({
    argv: file === undefined ? argv : { config: "gw.yaml", ...argv },
    env,
    readFile,
    cores,
  });
}

/** The sentence with which the sources are refused. */
function refusal(sources: Parameters<typeof resolve>[0]): string {
  try {
    resolve(sources);
  } catch (error) {
    if (error instanceof ConfigError && error.exitCode === 2) return error.message;
    throw error;
  }
  return expect.unreachable("nothing was refused");
}

test("without any source all options have their defaults", () => {
  const { config, origins } = resolve();
  expect(config.port).toBe(55_200);
  expect(config.shutdownGraceMs).toBe(30_000);
  expect(config.limits.bodyBytes).toBe(100 * 1024 * 1024);
  expect(config.authKey).toEqual([]);
  expect(config.cors.origins).toEqual(["*"]);
  expect(new Set(Object.values(origins))).toEqual(new Set(["default", "derived"]));
  expect(Object.keys(origins).toSorted()).toEqual(ENTRIES.map(({ path }) => path).toSorted());
});

test("the configuration is plain data that can cross threads", () => {
  const { config } = resolve({ env: { AUTH_KEY: "alice=abc" } });
  expect(structuredClone(config)).toEqual(config);
});

test.each([
  [1, 1],
  [8, 8],
  [1_000, 256],
])("with %d cores there are %d workers", (cores, workers) => {
  const { config, origins } = resolve({ cores });
  expect(config.workers).toBe(workers);
  expect(origins["workers"]).toBe("derived");
});

test.each([
  ["127.0.0.1", "limited"],
  ["::1", "limited"],
  ["0.0.0.0", "denied"],
  ["10.1.2.3", "denied"],
])("on %s anonymous callers are %s unless something else is said", (host, anonymous) => {
  expect(resolve({ argv: { host } }).config.anonymous).toBe(anonymous);
  expect(resolve({ argv: { host, anonymous: "limited" } })).toMatchObject({
    config: { anonymous: "limited" },
    origins: { anonymous: "flag" },
  });
});

test("flags win over environment over file over defaults", () => {
  const file = "lease: { maxWait: 3s }";
  const env = { GEMINI_GATEWAY_LEASE_MAX_WAIT: "2s" };
  const argv = { "lease-max-wait": "1500ms" };
  const cases = [
    [{ file, env, argv }, 1_500, "flag"],
    [{ file, env }, 2_000, "environment"],
    [{ file }, 3_000, "file"],
    [{}, 1_000, "default"],
  ] as const;
  for (const [sources, maxWaitMs, origin] of cases) {
    const { config, origins } = resolve(sources);
    expect([config.lease.maxWaitMs, origins["lease.maxWait"]]).toEqual([maxWaitMs, origin]);
  }
});

test("a bad value is refused also where another source overrides it", () => {
  expect(refusal({ file: "port: no", argv: { port: "1" } })).toContain("port in gw.yaml must be");
});

test.each(ENTRIES.map((entry) => [entry.path, entry] as const))(
  "%s can be given in every place",
  (path, entry) => {
    const [sample, expected] = sampleOf(entry);
    const inFile = entry.path.split(".").reduceRight<unknown>((value, name) => ({ [name]: value }), sample);
    const text = Array.isArray(sample) ? sample.join(",") : String(sample);
    const places: (readonly [string, Parameters<typeof resolve>[0]])[] = [
      ["flag", { argv: { [entry.flag]: text } }],
      ...entry.environment.map((name) => ["environment", { env: { [name]: text } }] as const),
    ];
    if (entry.option.inFile !== false) places.push(["file", { file: JSON.stringify(inFile) }]);
    for (const [origin, sources] of places) {
      const { config, origins } = resolve(sources);
      expect(origins[path]).toBe(origin);
      expect(
        entry.resolvedPath.reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], config),
      ).toEqual(expected);
    }
  },
);

/** Options that must not be less than another, whose default would forbid their smallest value. */
const UPPER_OF_A_RELATION = /overloadedMax|bodyMemory|clientBody/;

/** A value of the option that is not its default, as written and as resolved. */
function sampleOf({ option, path }: (typeof ENTRIES)[number]): [unknown, unknown] {
  switch (option.kind) {
    case "integer":
      return [option.min + 7, option.min + 7];
    case "number":
      return [1.25, 1.25];
    case "duration": {
      const text = UPPER_OF_A_RELATION.test(path) ? option.max : option.min;
      return [text, parseDuration(text)];
    }
    case "size": {
      const text = UPPER_OF_A_RELATION.test(path) ? option.max : option.min;
      return [text, parseSize(text)];
    }
    case "boolean":
      return [!option.default, !option.default];
    case "choice":
      return [option.choices.at(-1), option.choices.at(-1)];
    case "text":
      return sampleText(path, option.pattern);
    case "list":
      return sampleList(option.accepts === undefined ? option.pattern : undefined);
    case "secret-list":
      return [[`alice=${SECRET}`], [{ name: "alice", secret: SECRET }]];
    case "url":
      return ["http://127.0.0.1:9000", "http://127.0.0.1:9000"];
  }
}

function sampleList(pattern: RegExp | undefined): [string[], string[]] {
  const sample =
    ["https://a.example", "a-model", "m=10/-/250", "a=b"].find((text) => pattern?.test(text)) ?? "10.0.0.0/8";
  return [[sample], [sample]];
}

function sampleText(path: string, pattern: RegExp): [string, string] {
  if (path === "pathPrefix") return ["/gw", "/gw"];
  return pattern.test("elsewhere") ? ["elsewhere", "elsewhere"] : ["10%", "10%"];
}

test("the full environment name wins over its alias", () => {
  const { config } = resolve({ env: { AUTH_KEY: "old=1", GEMINI_GATEWAY_AUTH_KEY: "new=2" } });
  expect(config.authKey).toEqual([{ name: "new", secret: "2" }]);
});

test("an empty environment variable counts as not set", () => {
  const { config, origins } = resolve({
    env: { GEMINI_GATEWAY_PORT: "", GEMINI_GATEWAY_AUTH_KEY: "", AUTH_KEY: "a=b" },
  });
  expect([config.port, origins["port"]]).toEqual([55_200, "default"]);
  expect(config.authKey).toEqual([{ name: "a", secret: "b" }]);
});

test("variables that Kubernetes sets for a Service called gemini-gateway are no options", () => {
  const env = {
    GEMINI_GATEWAY_SERVICE_HOST: "10.0.0.7",
    GEMINI_GATEWAY_SERVICE_PORT: "80",
    GEMINI_GATEWAY_SERVICE_PORT_HTTP: "80",
    GEMINI_GATEWAY_PORT: "tcp://10.0.0.7:80",
    GEMINI_GATEWAY_PORT_80_TCP: "tcp://10.0.0.7:80",
    GEMINI_GATEWAY_PORT_80_TCP_ADDR: "10.0.0.7",
  };
  expect(resolve({ env }).config.port).toBe(55_200);
});

test.each([
  ["flag", { argv: { port: "70000" } }, '--port must be a whole number from 0 to 65535; it is "70000"'],
  ["switch", { argv: { "request-log": "maybe" } }, '--request-log must be true or false; it is "maybe"'],
  [
    "flag given twice",
    { argv: { port: ["1", "2"] } },
    "--port must be a whole number from 0 to 65535; it is a list",
  ],
  [
    "flag without a value",
    { argv: { "keys-dir": "" } },
    "--keys-dir must be the path of a folder; it is empty",
  ],
  [
    "choice",
    { env: { GEMINI_GATEWAY_LOG_LEVEL: "wran" } },
    'GEMINI_GATEWAY_LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent; it is "wran", did you mean warn?',
  ],
  [
    "duration in the file",
    { file: "lease: {maxWait: 2 weeks}" },
    'lease.maxWait in gw.yaml must be a time from 0s to 1m, written as 500ms, 30s, 5m, 12h or 7d; it is "2 weeks"',
  ],
  [
    "section for an option",
    { file: "port: {a: 1}" },
    "port in gw.yaml must be a whole number from 0 to 65535; it is a section",
  ],
  ["option for a section", { file: "lease: 5s" }, "lease in gw.yaml must be a section with options below it"],
  [
    "body over memory",
    { file: "limits: {body: 1GB}" },
    "limits.body (1GB) must not be more than limits.bodyMemory (512MB)",
  ],
  [
    "rests in the wrong order",
    { argv: { "rest-overloaded-min": "10m" } },
    "rest.overloadedMin (10m) must not be more than rest.overloadedMax (5m)",
  ],
  [
    "unknown name in the environment",
    { env: { GEMINI_GATEWAY_PROT: "1" } },
    "The environment variable GEMINI_GATEWAY_PROT is not an option; did you mean GEMINI_GATEWAY_PORT?",
  ],
  [
    "name that is like no other",
    { env: { GEMINI_GATEWAY_QQQQQQ: "1" } },
    "The environment variable GEMINI_GATEWAY_QQQQQQ is not an option; see docs/configuration.md",
  ],
  [
    "unknown name in the file",
    { file: "leese:\n  maxWait: 1s" },
    "leese in gw.yaml is not an option; did you mean lease?",
  ],
  [
    "unknown name in a section",
    { file: "lease:\n  maxWiat: 1s" },
    "lease.maxWiat in gw.yaml is not an option; did you mean lease.maxWait?",
  ],
  [
    "name outside of its section",
    { file: "maxWait: 1s" },
    "maxWait in gw.yaml is not an option; did you mean lease.maxWait?",
  ],
  [
    "flag in the file",
    { file: "keys-dir: k" },
    "keys-dir in gw.yaml is not an option; did you mean keysDir?",
  ],
  [
    "resolved name in the file",
    { file: "lease: {maxWaitMs: 5}" },
    "lease.maxWaitMs in gw.yaml is not an option; did you mean lease.maxWait?",
  ],
  [
    "file in the file",
    { file: "config: other.yaml" },
    "config cannot stand in a configuration file such as gw.yaml; give it as a flag or in the environment",
  ],
  [
    "list as the file",
    { file: "- port" },
    "The configuration file gw.yaml must hold options as `name: value`",
  ],
  [
    "broken file",
    { file: 'port: 1\nhost: "open' },
    "The configuration file gw.yaml is not valid YAML or JSON (MISSING_CHAR) at line 2, column 12",
  ],
  [
    "name twice",
    { file: "port: 1\nport: 2" },
    "The configuration file gw.yaml has the same name twice at line 2, column 1",
  ],
  [
    "alias to nothing",
    { file: "host: *nothing" },
    "The configuration file gw.yaml has an alias that leads nowhere, or too many of them",
  ],
] as const)("refused with one sentence: %s", (_what, sources, sentence) => {
  expect(refusal(sources)).toBe(sentence);
});

test("a file that cannot be read is refused with the system's reason", () => {
  const readFile = (): string => {
    throw Object.assign(new Error("secret detail"), { code: "ENOENT" });
  };
  const sentence = "The configuration file missing.yaml cannot be read (ENOENT): it does not exist";
  expect(refusal({ env: { GEMINI_GATEWAY_CONFIG: "missing.yaml" }, readFile })).toBe(sentence);
});

test("a file that is far too long is refused before it is parsed", () => {
  expect(refusal({ file: "#".repeat(2 * 1024 * 1024) })).toContain("is longer than");
});

test("aliases cannot make a small file huge", () => {
  const levels = Array.from(
    { length: 30 },
    (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}]`,
  );
  expect(refusal({ file: ["l0: &l0 x", ...levels].join("\n") })).toContain("alias");
});

test("JSON with tabs and a byte order mark is read, with a reference to its schema", () => {
  const file = '\uFEFF{\n\t"$schema": "./config.schema.json",\n\t"lease": {\n\t\t"maxWait": 2\n\t}\n}';
  expect(resolve({ file }).config.lease.maxWaitMs).toBe(2_000);
});

test("a name without a value and an empty file count as not given", () => {
  expect(resolve({ file: "port:\nlease:\n  maxWait:\nretry:\n" }).origins).toMatchObject({
    port: "default",
    "lease.maxWait": "default",
  });
  expect(resolve({ file: "# nothing yet\n" }).origins["port"]).toBe("default");
});

test.each([
  ["a bad list of secrets", { argv: { "auth-key": `alice=${SECRET} bob=${SECRET}` } }],
  ["a secret given as a list in a list", { file: `authKey: [[${SECRET}]]` }],
  ["a proxy of an unknown kind", { env: { GEMINI_GATEWAY_PROXY: `socks9://alice:${SECRET}@127.0.0.1:1` } }],
  ["an upstream with a password", { argv: { upstream: `https://alice:${SECRET}@relay.example` } }],
  ["a file broken at the secret", { file: `authKey: "${SECRET}\n` }],
  ["a file broken after the secret", { file: `authKey: ${SECRET}: {` }],
  ["an alias that is the secret", { file: `authKey: *${SECRET}` }],
  ["a name twice, with the secret", { file: `authKey: ${SECRET}\nauthKey: ${SECRET}2` }],
  ["a file that is only the secret", { file: SECRET }],
] as const)("the refusal of %s keeps the secret", (_what, sources) => {
  expect(refusal(sources)).not.toContain(SECRET);
});
