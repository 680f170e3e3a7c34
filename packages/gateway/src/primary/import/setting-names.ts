/**
 * What the names in an original's `config.py` mean here: the one table of the import, from which docs/import.md is made.
 * Data and pure reading of names. A name is compared without its case, its unit and what stands in front of many names.
 */

/** How a value of the original becomes one of ours. A time is in the unit its name ends in, else in the one named here. */
export type Reading =
  | "plain"
  | "list"
  | "seconds"
  | "minutes"
  | "hours"
  | "days"
  | "auth-keys"
  | "proxy"
  | "rates"
  | "threshold"
  | "level"
  | "retries"
  | "timeouts"
  | "intervals";

export interface SettingMeaning {
  /** Our option. */
  readonly option: string;
  readonly reading: Reading;
  /** Names of the original, without unit. */
  readonly names: readonly string[];
}

export const MEANINGS: readonly SettingMeaning[] = [
  { option: "host", reading: "plain", names: ["HOST", "BIND", "LISTEN_HOST", "BIND_HOST"] },
  { option: "port", reading: "plain", names: ["PORT", "LISTEN_PORT", "BIND_PORT"] },
  {
    option: "authKey",
    reading: "auth-keys",
    names: [
      "AUTH_KEY",
      "AUTH_KEYS",
      "AUTHKEY",
      "AUTH_TOKEN",
      "ACCESS_KEY",
      "ACCESS_KEYS",
      "ACCESS_TOKEN",
      "PROXY_AUTH_KEY",
      "PROXY_KEY",
    ],
  },
  {
    option: "upstream",
    reading: "plain",
    names: ["BASE_URL", "API_BASE", "API_BASE_URL", "API_URL", "UPSTREAM", "UPSTREAM_URL", "TARGET_URL"],
  },
  {
    option: "proxy",
    reading: "proxy",
    names: [
      "PROXY",
      "PROXIES",
      "PROXY_URL",
      "SOCKS5",
      "SOCKS5_PROXY",
      "SOCKS5_PROXIES",
      "SOCKS_PROXY",
      "OUTBOUND_PROXY",
      "HTTPS_PROXY",
      "HTTP_PROXY",
    ],
  },
  {
    option: "models",
    reading: "list",
    names: [
      "MODELS",
      "MODEL",
      "MODEL_LIST",
      "MODEL_NAMES",
      "TEST_MODELS",
      "TEST_MODEL",
      "SUPPORTED_MODELS",
      "AVAILABLE_MODELS",
    ],
  },
  {
    option: "ip.perMinute",
    reading: "rates",
    names: [
      "RATE_LIMIT",
      "RATE_LIMITS",
      "RATE_LIMIT_PER",
      "RATE_PER",
      "IP_RATE_LIMIT",
      "IP_RATE_LIMIT_PER",
      "REQUESTS_PER",
      "MAX_REQUESTS_PER",
      "LIMIT_PER",
      "IP_LIMIT_PER",
      "IP_PER",
      "IP_REQUESTS_PER",
      "MAX_REQUESTS_PER_IP_PER",
    ],
  },
  {
    option: "ip.ban",
    reading: "seconds",
    names: ["BAN_DURATION", "BAN_TIME", "IP_BAN", "IP_BAN_DURATION", "IP_BAN_TIME"],
  },
  {
    option: "ip.allow",
    reading: "list",
    names: ["IP_WHITELIST", "WHITELIST", "WHITELIST_IPS", "IP_ALLOWLIST", "ALLOWED_IPS", "ALLOW_LIST"],
  },
  { option: "trustProxy", reading: "list", names: ["TRUSTED_PROXIES", "TRUST_PROXY", "TRUSTED_PROXY"] },
  {
    option: "breaker.low",
    reading: "threshold",
    names: [
      "BREAKER_LOW",
      "BREAKER_LOW_THRESHOLD",
      "CIRCUIT_BREAKER_LOW",
      "CIRCUIT_BREAKER_LOW_THRESHOLD",
      "LOW_THRESHOLD",
      "MIN_AVAILABLE_KEYS",
    ],
  },
  {
    option: "breaker.high",
    reading: "threshold",
    names: [
      "BREAKER_HIGH",
      "BREAKER_HIGH_THRESHOLD",
      "CIRCUIT_BREAKER_HIGH",
      "CIRCUIT_BREAKER_HIGH_THRESHOLD",
      "HIGH_THRESHOLD",
    ],
  },
  {
    option: "probing.afterSuccess",
    reading: "intervals",
    names: [
      "TEST_INTERVAL",
      "TEST_INTERVALS",
      "RETEST_INTERVALS",
      "KEY_TEST_INTERVAL",
      "CHECK_INTERVAL",
      "TEST_INTERVAL_200",
      "INTERVAL_200",
      "TEST_INTERVAL_SUCCESS",
      "SUCCESS_INTERVAL",
      "RETEST_200",
    ],
  },
  {
    option: "probing.afterForbidden",
    reading: "seconds",
    names: [
      "TEST_INTERVAL_403",
      "INTERVAL_403",
      "TEST_INTERVAL_FORBIDDEN",
      "FORBIDDEN_INTERVAL",
      "RETEST_403",
    ],
  },
  {
    option: "probing.afterRefusal",
    reading: "seconds",
    names: [
      "TEST_INTERVAL_4XX",
      "INTERVAL_4XX",
      "TEST_INTERVAL_CLIENT_ERROR",
      "CLIENT_ERROR_INTERVAL",
      "RETEST_4XX",
    ],
  },
  {
    option: "probing.afterServerError",
    reading: "seconds",
    names: [
      "TEST_INTERVAL_5XX",
      "INTERVAL_5XX",
      "TEST_INTERVAL_SERVER_ERROR",
      "SERVER_ERROR_INTERVAL",
      "RETEST_5XX",
    ],
  },
  {
    option: "probing.afterFailure",
    reading: "seconds",
    names: ["TEST_INTERVAL_FAILURE", "FAILURE_RETEST", "RETEST_AFTER_FAILURE", "FAIL_RETEST_INTERVAL"],
  },
  {
    option: "probing.concurrency",
    reading: "plain",
    names: ["TEST_CONCURRENCY", "TEST_THREADS", "TEST_WORKERS", "MAX_TEST_WORKERS", "MAX_TEST_THREADS"],
  },
  {
    option: "keySyncInterval",
    reading: "seconds",
    names: [
      "KEY_SYNC_INTERVAL",
      "SYNC_INTERVAL",
      "KEY_RELOAD_INTERVAL",
      "KEYS_SYNC_INTERVAL",
      "KEY_REFRESH_INTERVAL",
    ],
  },
  { option: "status.file", reading: "plain", names: ["STATUS_FILE", "STATUS_PATH", "STATUS_FILE_PATH"] },
  {
    option: "status.interval",
    reading: "seconds",
    names: ["STATUS_INTERVAL", "STATUS_UPDATE_INTERVAL", "STATUS_WRITE_INTERVAL", "STATS_INTERVAL"],
  },
  {
    option: "retry.attempts",
    reading: "retries",
    names: ["MAX_RETRIES", "RETRIES", "RETRY_COUNT", "MAX_RETRY", "RETRY_TIMES", "MAX_ATTEMPTS", "ATTEMPTS"],
  },
  {
    option: "timeouts.firstByte",
    reading: "timeouts",
    names: ["TIMEOUT", "REQUEST_TIMEOUT", "READ_TIMEOUT", "UPSTREAM_TIMEOUT", "API_TIMEOUT"],
  },
  { option: "timeouts.connect", reading: "seconds", names: ["CONNECT_TIMEOUT"] },
  { option: "limits.body", reading: "plain", names: ["MAX_CONTENT_LENGTH", "MAX_BODY_SIZE"] },
  { option: "logLevel", reading: "level", names: ["LOG_LEVEL", "LOGLEVEL", "LOGGING_LEVEL"] },
  { option: "logRetention", reading: "days", names: ["LOG_RETENTION", "LOG_KEEP", "LOG_MAX_AGE"] },
  {
    option: "cors.origins",
    reading: "list",
    names: ["CORS_ORIGINS", "CORS_ALLOWED_ORIGINS", "ALLOWED_ORIGINS"],
  },
];

/** Networks to be banned. */
export const BAN_NAMES: readonly string[] = [
  "IP_BLACKLIST",
  "BLACKLIST",
  "BANNED_IPS",
  "BLOCKED_IPS",
  "BLACKLIST_IPS",
  "IP_BANS",
];

/** Where things of the original are. */
export const PLACE_NAMES = {
  keys: ["KEYS_DIR", "KEY_DIR", "KEYS_FOLDER", "KEY_FOLDER", "KEYS_PATH"],
  database: ["DATABASE", "DB_PATH", "DB_FILE", "DB_NAME", "DATABASE_PATH", "DATABASE_FILE", "SQLITE_PATH"],
} as const;

export type TimeUnit = "ms" | "seconds" | "minutes" | "hours" | "days";

const UNITS: readonly (readonly [RegExp, TimeUnit])[] = [
  [/_?(?:MS|MILLISECONDS?)$/, "ms"],
  [/_?(?:IN_)?(?:SECONDS?|SECS?)$/, "seconds"],
  [/_?(?:IN_)?(?:MINUTES?|MINS?)$/, "minutes"],
  [/_?(?:IN_)?(?:HOURS?|HRS?)$/, "hours"],
  [/_?(?:IN_)?DAYS?$/, "days"],
];

/** What stands in front of many names and tells nothing. */
const PREFIX = /^(?:DEFAULT|CONFIG|GEMINI|FLASK|SERVER|APP)_/;

export interface PlainName {
  readonly base: string;
  readonly unit?: TimeUnit;
}

/** `GEMINI_BAN_TIME_HOURS` → BAN_TIME, hours. */
export function plainName(name: string): PlainName {
  const upper = name.toUpperCase().replace(PREFIX, "");
  for (const [ending, unit] of UNITS) {
    const base = upper.replace(ending, "");
    if (base !== upper && base !== "") return { base, unit };
  }
  return { base: upper };
}
