/** Reads which requests `gemini-gateway logs` shall show. Pure: the parsed arguments come in. */
import { ConfigError } from "../config/config-error.ts";
import { parseDuration } from "../config/duration.ts";
import type { Arguments, FlagDeclaration } from "../config/flags.ts";
import { nearestName } from "../config/nearest.ts";
import type { RequestFilter } from "../primary/store/request-log-reader.ts";
import type { RequestRow } from "../request-row.ts";

/** Most rows printed at once; more are better asked of the database itself. */
const LIMIT_MAX = 100_000;
const LIMIT_DEFAULT = 100;
/** Longer names than any client or model has. */
const NAME_LENGTH_MAX = 200;

/** Every word a request can end with. */
const OUTCOMES: Readonly<Record<RequestRow["outcome"], true>> = {
  served: true,
  truncated: true,
  denied: true,
  refused: true,
  "caller-fault": true,
  "caller-left": true,
  "key-dead": true,
  "key-misconfigured": true,
  billing: true,
  "quota-minute": true,
  "quota-day": true,
  "model-unavailable": true,
  "request-over-quota": true,
  "foreign-resource": true,
  overloaded: true,
  empty: true,
  broken: true,
  network: true,
  location: true,
};

const FINGERPRINT = /^k-[a-z2-7]{12,51}$/;
const STATUS = /^([1-5])(?:xx|(\d\d))$/i;
const WHOLE_NUMBER = /^\d{1,6}$/;

export const LOG_FILTER_FLAGS = {
  key: { type: "string", describe: "Only requests whose last attempt used the key with this fingerprint" },
  model: { type: "string", describe: "Only requests for this model" },
  status: { type: "string", describe: "Only this status, such as 404, or class of status, such as 5xx" },
  outcome: { type: "string", describe: "Only this outcome, such as quota-day" },
  client: {
    type: "string",
    describe: "Only requests of this auth key, by its name, or of anonymous callers",
  },
  since: { type: "string", describe: "Only requests that arrived in this time, such as 90s, 1h or 7d" },
  limit: {
    type: "string",
    describe: `Most requests printed at once (1..${LIMIT_MAX})`,
    defaultDescription: `${LIMIT_DEFAULT}`,
  },
} as const satisfies Record<string, FlagDeclaration>;

export interface LogQuestion {
  readonly filter: RequestFilter;
  readonly limit: number;
}

/** Throws ConfigError for a value that cannot be meant; a wrong fingerprint is not repeated, for it may be a key. */
export function readLogQuestion(argv: Arguments, nowMs: number): LogQuestion {
  const key = given(argv, "key");
  if (key !== undefined && !FINGERPRINT.test(key)) {
    throw new ConfigError(
      "--key must be a fingerprint such as k-abcdefghij23, as `keys list` shows them, and no key",
    );
  }
  const filter = {
    sinceMs: sinceOf(given(argv, "since"), nowMs),
    fingerprint: key,
    model: given(argv, "model"),
    status: statusOf(given(argv, "status")),
    outcome: outcomeOf(given(argv, "outcome")),
    client: given(argv, "client"),
  };
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  return { filter: Object.fromEntries(asked) as RequestFilter, limit: limitOf(given(argv, "limit")) };
}

function given(argv: Arguments, flag: keyof typeof LOG_FILTER_FLAGS): string | undefined {
  const value = argv[flag];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= NAME_LENGTH_MAX) return value;
  throw new ConfigError(
    `--${flag} must be given once, with a value of at most ${NAME_LENGTH_MAX} characters`,
  );
}

function sinceOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const spanMs = parseDuration(text);
  if (spanMs === undefined) throw new ConfigError("--since must be a time such as 90s, 30m, 12h or 7d");
  return Math.round(nowMs - spanMs);
}

function statusOf(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const match = STATUS.exec(text);
  if (match === null) throw new ConfigError("--status must be a status such as 404, or a class such as 5xx");
  const first = Number(match[1]) * 100 + Number(match[2] ?? 0);
  return match[2] === undefined ? [first, first + 99] : [first, first];
}

function outcomeOf(text: string | undefined): string | undefined {
  if (text === undefined || Object.hasOwn(OUTCOMES, text)) return text;
  const nearest = nearestName(text, Object.keys(OUTCOMES));
  const advice =
    nearest === undefined ? `one of ${Object.keys(OUTCOMES).join(", ")}` : `did you mean ${nearest}?`;
  throw new ConfigError(`--outcome is not one that requests end with; ${advice}`);
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = WHOLE_NUMBER.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new ConfigError(`--limit must be a whole number from 1 to ${LIMIT_MAX}`);
}
