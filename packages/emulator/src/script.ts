/**
 * The script file: projects, models and faults as JSON, checked to the last field. Pure: takes the text.
 * Described for its authors in the package's README.
 */
import type { FaultKind, FaultRule } from "./fault-rules.ts";
import { STATE_ERRORS } from "./key-errors.ts";
import { ERROR_NAMES } from "./named-errors.ts";
import { STREAM_EVENTS_MAX, STREAM_INTERVAL_MS_MAX, STREAM_TEXT_BYTES_MAX } from "./model-spec.ts";
import type { EmulatorOptions } from "./emulator.ts";
import type { ModelSpec } from "./model-spec.ts";
import type { ProjectSpec } from "./project-spec.ts";
import type { HostOptions } from "./resources/links.ts";
import type { ResourceOptions } from "./resources/resources.ts";
import {
  anything,
  flag,
  listOf,
  mapOf,
  nonEmptyText,
  numberFrom,
  oneOf,
  ScriptError,
  shapeOf,
  text,
  variantOf,
} from "./script-checks.ts";
import type { Check, Fields } from "./script-checks.ts";

const count = numberFrom(0, Number.MAX_SAFE_INTEGER);
const keyStates = ["ok", ...Object.keys(STATE_ERRORS)];
const projectStates = keyStates.filter((state) => state !== "invalid" && state !== "expired");

const project = shapeOf(
  { name: nonEmptyText, keys: listOf(nonEmptyText) },
  {
    number: text,
    tier: oneOf(["free", "paid"]),
    quotas: mapOf(shapeOf({}, { rpm: count, tpm: count, rpd: count })),
    state: oneOf(projectStates),
    keyStates: mapOf(oneOf(keyStates)),
    closedModels: listOf(nonEmptyText),
    liveSessions: count,
  },
);

const model = shapeOf(
  { name: nonEmptyText },
  {
    resolvesTo: nonEmptyText,
    methods: listOf(nonEmptyText),
    inputTokenLimit: count,
    outputTokenLimit: count,
    thinking: flag,
    dimensions: numberFrom(1, 3072),
    events: numberFrom(1, STREAM_EVENTS_MAX),
    intervalMs: numberFrom(0, STREAM_INTERVAL_MS_MAX),
    textBytes: numberFrom(0, STREAM_TEXT_BYTES_MAX),
  },
);

const match = shapeOf(
  {},
  {
    key: text,
    project: text,
    model: text,
    operation: text,
    pathIncludes: text,
    afterCalls: count,
    untilCalls: count,
    fromMs: count,
    untilMs: count,
  },
);

const errorName = oneOf(ERROR_NAMES);

/** Fields beside `kind`, of every kind of fault; the compiler sees to it that none is missing. */
const FAULT_FIELDS: Readonly<Record<FaultKind, Fields>> = {
  "no-finish-reason": {},
  "stop-without-parts": {},
  "thought-only": {},
  "max-tokens-without-parts": {},
  "blocked-prompt": {},
  "candidates-missing": {},
  error: { error: errorName, message: text, retryDelaySeconds: count },
  "suspended-echo": {},
  html: { status: numberFrom(200, 599) },
  custom: { status: numberFrom(200, 599), body: anything, headers: mapOf(text) },
  "empty-stream": {},
  "late-error-event": { afterEvents: count, error: errorName },
  "raw-json-tail": { afterEvents: count, error: errorName },
  cut: { afterEvents: count },
  reset: { afterEvents: count, midEvent: flag },
  stall: { afterEvents: count },
  "slow-first-byte": { untilReleased: flag, delayMs: count },
  bytewise: { bytes: numberFrom(1, STREAM_TEXT_BYTES_MAX) },
  gzip: {},
  "invalid-json": {},
  "truncated-length": {},
  "upload-break": { afterBytes: count },
  "live-close": { code: numberFrom(1000, 4999), reason: text, afterEvents: count },
  "live-go-away": { timeLeftSeconds: count, afterEvents: count },
};

const REQUIRED_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["error", ["error"]],
  ["custom", ["status"]],
  ["cut", ["afterEvents"]],
  ["upload-break", ["afterBytes"]],
  ["live-close", ["code"]],
]);

const fault = variantOf(
  Object.fromEntries(Object.entries(FAULT_FIELDS).map(([kind, fields]) => [kind, faultShape(kind, fields)])),
);

function faultShape(kind: string, fields: Fields): Check {
  const required = REQUIRED_FIELDS.get(kind) ?? [];
  const isRequired = ([name]: readonly [string, Check]): boolean => required.includes(name);
  const entries = Object.entries(fields);
  return shapeOf(
    { kind: text, ...Object.fromEntries(entries.filter(isRequired)) },
    Object.fromEntries(entries.filter((entry) => !isRequired(entry))),
  );
}

const rule = shapeOf(
  { fault },
  { match, times: count, probability: numberFrom(0, 1), seed: numberFrom(0, 2 ** 32 - 1) },
);

const resources = shapeOf(
  {},
  {
    uploadHost: nonEmptyText,
    downloadHost: nonEmptyText,
    fileUriOrigin: nonEmptyText,
    strictHosts: flag,
    filePolls: count,
    jobPolls: count,
    implicitCacheTokensMin: count,
    foreignSignatures: oneOf(["served", "refused"]),
  },
);

const script = shapeOf(
  {},
  { projects: listOf(project), models: listOf(model), faults: listOf(rule), resources },
);

type ScriptedOptions = Omit<EmulatorOptions, "port" | "host" | "now" | "minimal" | "tls">;

/** Reads a script. Throws a {@link ScriptError} with one sentence on what is wrong and where. */
export function parseScript(json: string): ScriptedOptions {
  const value = parseJson(json);
  script(value, "");
  const {
    projects,
    models,
    faults,
    resources: more,
  } = value as {
    projects?: readonly ProjectSpec[];
    models?: readonly ModelSpec[];
    faults?: readonly FaultRule[];
    resources?: HostOptions & ResourceOptions;
  };
  return {
    ...more,
    ...(projects !== undefined && { projects }),
    ...(models !== undefined && { models }),
    ...(faults !== undefined && { script: faults }),
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new ScriptError("", `not JSON: ${error instanceof Error ? error.message : "unreadable"}`);
  }
}
