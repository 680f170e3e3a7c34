/**
 * The configuration schema: each option declared once, with its unit, bounds, default and manual. The command line
 * flag, environment name, file key, help, docs, JSON Schema, error texts and the `GatewayConfig` type derive from it.
 * Any thread may import it. It must never read anything: resolution is `config/resolve.ts`.
 */
import { isLoopback } from "./config/loopback.ts";
import type { Resolved, Schema } from "./config/option.ts";
import { AFFINITY_SECTION } from "./config/section-affinity.ts";
import { BREAKER_SECTION, IP_SECTION, TRUST_PROXY_OPTION } from "./config/section-guard.ts";
import { ALIAS_ITEM } from "./config/model-aliases.ts";
import { QUOTA_ITEM } from "./config/quotas.ts";
import { CORS_SECTION, LIMITS_SECTION, TIMEOUTS_SECTION } from "./config/section-limits.ts";
import {
  LOG_MAX_ROWS_OPTION,
  LOG_RETENTION_OPTION,
  METRICS_ACCESS_OPTION,
  STATUS_SECTION,
} from "./config/section-reports.ts";
import { LIVE_SECTION } from "./config/section-live.ts";
import { PROBING_SECTION } from "./config/section-probing.ts";
import { LEASE_SECTION, REST_SECTION, RETRY_SECTION } from "./config/section-retry.ts";

/** Most worker threads: beyond the cores of any machine this is meant for. */
const WORKERS_MAX = 256;
/** Up to 4096 characters, none of them a control character. */
const FILE_PATH = /^[^\p{Cc}]{1,4096}$/u;

export const SCHEMA = {
  workers: {
    kind: "integer",
    default: { text: "one per CPU core", from: ({ cores }) => Math.min(Math.max(cores, 1), WORKERS_MAX) },
    min: 1,
    max: WORKERS_MAX,
    unit: "threads",
    reload: "restart",
    manual: "Threads that serve requests.",
  },
  host: {
    kind: "text",
    default: "127.0.0.1",
    form: "an address or a host name, without a port",
    pattern: /^[A-Za-z0-9._:%-]{1,253}$/,
    reload: "restart",
    manual: "Address to listen on. `0.0.0.0` or `::` listens on every network of the machine.",
  },
  port: {
    kind: "integer",
    default: 55_200,
    min: 0,
    max: 65_535,
    reload: "restart",
    manual: "TCP port to listen on. 0 picks a free one.",
  },
  pathPrefix: {
    kind: "text",
    default: "",
    form: "a path such as /gw, which begins with / and does not end with it",
    pattern: /^(?:|(?=.{2,200}$)(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+)$/,
    reload: "restart",
    manual: "A path under which all routes are served too, for a gateway behind a reverse proxy.",
  },
  publicUrl: {
    kind: "url",
    default: "",
    schemes: ["https", "http"],
    allows: "path",
    reload: "live",
    manual:
      "Address by which clients reach the gateway, with its path prefix if they use one: what upload URLs begin with. By default it is told from each request: its `Host`, or what a trusted reverse proxy says (`X-Forwarded-Proto`, `-Host`, `-Prefix`, or `Forwarded`).",
  },
  fileUris: {
    kind: "choice",
    choices: ["google", "gateway"],
    default: "google",
    reload: "live",
    manual:
      "Whose address the URIs of files bear in answers, streamed or not: `google` as they came, or `gateway` for clients that take a file for their own only when it lies below their base URL. The gateway's are then understood in requests and in Live sessions, too.",
  },
  keysDir: {
    kind: "text",
    default: "keys",
    form: "the path of a folder",
    pattern: FILE_PATH,
    reload: "restart",
    manual: "Folder of the key files.",
  },
  database: {
    kind: "text",
    default: "gateway.db",
    form: "the path of a file",
    pattern: FILE_PATH,
    reload: "restart",
    manual:
      "SQLite file for keys, what was learnt about them, and the request log. It is created when missing.",
  },
  upstream: {
    kind: "url",
    default: "https://generativelanguage.googleapis.com",
    schemes: ["https", "http"],
    allows: "path",
    reload: "restart",
    manual: "The Gemini API. A path in it is put in front of every request's path.",
  },
  authKey: {
    kind: "secret-list",
    environmentAlias: "AUTH_KEY",
    reload: "live",
    manual:
      "Secrets by which callers are authenticated, each `NAME=SECRET` or only the secret. The name appears in logs, the secret never.",
  },
  anonymous: {
    kind: "choice",
    choices: ["limited", "denied"],
    default: {
      text: "`limited` when `host` is a loopback address, else `denied`",
      from: ({ host }) => (isLoopback(host) ? "limited" : "denied"),
    },
    reload: "live",
    manual: "What a caller without a valid auth key may do: use the gateway within limits, or nothing (401).",
  },
  logLevel: {
    kind: "choice",
    choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    default: "info",
    reload: "live",
    manual: "The least important messages that are logged.",
  },
  logFormat: {
    kind: "choice",
    choices: ["auto", "json", "pretty"],
    default: "auto",
    reload: "restart",
    manual:
      "Form of the log: `json` lines, `pretty` for reading, or `auto`: pretty on a terminal, else json.",
  },
  requestLog: {
    kind: "boolean",
    default: true,
    reload: "live",
    manual: "Whether each request is logged in one line at its end.",
  },
  logRetention: LOG_RETENTION_OPTION,
  logMaxRows: LOG_MAX_ROWS_OPTION,
  metricsAccess: METRICS_ACCESS_OPTION,
  proxy: {
    kind: "url",
    default: "",
    schemes: ["socks5", "socks5h", "socks4", "socks4a", "http", "https"],
    allows: "credentials",
    reload: "restart",
    manual:
      "Proxy for connections to the upstream, such as socks5://user:password@host:1080. With `socks5h` the proxy resolves names.",
  },
  upstreamHttp2: {
    kind: "boolean",
    default: false,
    reload: "restart",
    manual: "Whether HTTP/2 is offered to the upstream.",
  },
  models: {
    kind: "list",
    default: ["gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-4-argon"],
    form: "names of models such as gemini-3.8-flash",
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    none: "none",
    reload: "restart",
    manual:
      "Models on which every key is tested. Models that clients use successfully are learnt and tested too.",
  },
  probe: {
    kind: "choice",
    choices: ["auto", "generate", "count", "list", "off"],
    default: "auto",
    reload: "restart",
    manual:
      "What a health test asks: `generate` one token, which proves everything and costs a request; `count` the tokens of a word; `list` the models; `auto` the cheapest that answers what is open; `off` tests nothing. A key that only generating can bring back is asked that.",
  },
  shutdownGrace: {
    kind: "duration",
    default: "30s",
    min: "0s",
    max: "1h",
    reload: "live",
    manual: "Time that running requests get to finish after SIGTERM or Ctrl-C; then they are cut off.",
  },
  keySyncInterval: {
    kind: "duration",
    default: "300s",
    min: "1s",
    max: "24h",
    reload: "live",
    manual:
      "Time between full comparisons of the key files with the database. Changes are also noticed as they happen.",
  },
  config: {
    kind: "text",
    default: "",
    form: "the path of a JSON or YAML file",
    pattern: /^[^\p{Cc}]{0,4096}$/u,
    inFile: false,
    reload: "restart",
    manual: "Configuration file, JSON or YAML.",
  },
  quotas: {
    kind: "list",
    default: [],
    form: "MODEL=REQUESTS_A_MINUTE/TOKENS_A_MINUTE/REQUESTS_A_DAY with - for what is not limited, such as gemini-2.5-flash=10/250000/250",
    pattern: QUOTA_ITEM,
    none: "none",
    reload: "restart",
    manual:
      "Quotas of each project, by model; `*` stands for every model not named. They go before what the gateway learns from refusals, so that it keeps within them from the first request on.",
  },
  modelAlias: {
    kind: "list",
    default: [],
    form: "ALIAS=MODEL, such as gpt-4o-mini=gemini-3.5-flash-lite",
    pattern: ALIAS_ITEM,
    none: "none",
    reload: "live",
    manual:
      "Other names for models, for clients whose names are fixed. They work wherever a model is named, but inside of uploaded files, and stand in the lists of models; answers name the model.",
  },
  retry: RETRY_SECTION,
  lease: LEASE_SECTION,
  affinity: AFFINITY_SECTION,
  trustProxy: TRUST_PROXY_OPTION,
  trustProxyHeader: {
    kind: "choice",
    choices: ["auto", "x-forwarded-for", "forwarded"],
    default: "auto",
    reload: "live",
    manual:
      "The header that `trustProxy` is about. `auto` takes the one that is there, and neither when both are there and disagree; name the one your proxy writes if it passes the other on.",
  },
  ip: IP_SECTION,
  breaker: BREAKER_SECTION,
  limits: LIMITS_SECTION,
  timeouts: TIMEOUTS_SECTION,
  live: LIVE_SECTION,
  cors: CORS_SECTION,
  status: STATUS_SECTION,
  rest: REST_SECTION,
  probing: PROBING_SECTION,
} as const satisfies Schema;

/**
 * The resolved configuration: plain data that can cross threads. It holds secrets (`authKey`, `proxy`), so it must
 * never be logged or shown whole; `config/show.ts` masks it.
 */
export type GatewayConfig = Resolved<typeof SCHEMA>;
