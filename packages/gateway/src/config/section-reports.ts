/**
 * The options on what the gateway keeps and tells of itself: how long the request log is kept, the status file, the
 * metrics. A part of the schema in `config.ts`; data only.
 */
import { isLoopback } from "./loopback.ts";
import type { ChoiceOption, DurationOption, IntegerOption, Section } from "./option.ts";

/** Up to 4096 characters, none of them a control character. */
const FILE_PATH = /^[^\p{Cc}]{1,4096}$/u;

/** The word that switches the status file off. */
export const NO_STATUS_FILE = "none";

export const LOG_RETENTION_OPTION = {
  kind: "duration",
  default: "7d",
  min: "1m",
  max: "3650d",
  reload: "live",
  manual: "Age at which requests are deleted from the request log in the database.",
} as const satisfies DurationOption;

export const LOG_MAX_ROWS_OPTION = {
  kind: "integer",
  default: 1_000_000,
  min: 1_000,
  max: 1_000_000_000,
  unit: "requests",
  reload: "live",
  manual:
    "Most requests kept in the request log in the database, whatever their age; the oldest are deleted. A million take some 200 MB.",
} as const satisfies IntegerOption;

export const METRICS_ACCESS_OPTION = {
  kind: "choice",
  choices: ["anyone", "authenticated", "nobody"],
  default: {
    text: "`anyone` when `host` is a loopback address, else `authenticated`",
    from: ({ host }) => (isLoopback(host) ? "anyone" : "authenticated"),
  },
  reload: "live",
  manual:
    "Who may read `/metrics`: anyone who reaches the port, callers with an auth key, or nobody. It tells models and counts, never a key or a caller.",
} as const satisfies ChoiceOption;

export const STATUS_SECTION = {
  kind: "section",
  title: "Status file",
  options: {
    file: {
      kind: "text",
      default: "status.txt",
      form: `the path of a file, or ${NO_STATUS_FILE}`,
      pattern: FILE_PATH,
      reload: "restart",
      manual:
        "Text file to which the keys and requests of each model are written now and then, for people. `none` writes none.",
    },
    interval: {
      kind: "duration",
      default: "30m",
      min: "1s",
      max: "24h",
      reload: "live",
      manual: "Time between two reports in the status file.",
    },
    fileSize: {
      kind: "size",
      default: "1MB",
      min: "1KB",
      max: "64MB",
      reload: "live",
      manual: "Largest size of the status file; its oldest reports are left out.",
    },
  },
} as const satisfies Section;
