/**
 * The options that bound what requests may take: amounts, times, and the web pages that may call.
 * A part of the schema in `config.ts`; data only.
 */
import type { Section } from "./option.ts";

export const LIMITS_SECTION = {
  kind: "section",
  title: "Limits",
  options: {
    body: {
      kind: "size",
      default: "100MB",
      min: "1KB",
      max: "2GB",
      reload: "live",
      manual: "Largest request body; a larger one is refused with 413.",
    },
    bodyMemory: {
      kind: "size",
      default: "512MB",
      min: "1MB",
      max: "1024GB",
      reload: "restart",
      manual:
        "Memory for request bodies kept for a retry, over all workers. When it is used up, new bodies are refused with 503 and `Retry-After`.",
    },
    header: {
      kind: "size",
      default: "64KB",
      min: "8KB",
      max: "1MB",
      reload: "restart",
      manual: "Largest request head (request line and all headers); a larger one is refused with 431.",
    },
    connections: {
      kind: "integer",
      default: 10_000,
      min: 1,
      max: 1_000_000,
      unit: "connections",
      reload: "restart",
      manual: "Most client connections open at once, per worker.",
    },
    requests: {
      kind: "integer",
      default: 5_000,
      min: 1,
      max: 1_000_000,
      unit: "requests",
      reload: "live",
      manual:
        "Most requests in progress at once, over all workers; more are refused with 503 and `Retry-After`.",
    },
    keyConcurrency: {
      kind: "integer",
      default: 0,
      min: 0,
      max: 100_000,
      unit: "requests",
      reload: "restart",
      manual: "Most requests in progress at once per project and model. 0 sets no limit.",
    },
    peek: {
      kind: "size",
      default: "256KB",
      min: "1KB",
      max: "16MB",
      reload: "live",
      manual:
        "Most bytes of an answer held back to see that it is not empty or an error, before it is passed to the client.",
    },
  },
} as const satisfies Section;

export const TIMEOUTS_SECTION = {
  kind: "section",
  title: "Timeouts",
  options: {
    connect: {
      kind: "duration",
      default: "10s",
      min: "100ms",
      max: "5m",
      reload: "restart",
      manual: "Longest time to open a connection to the upstream or the proxy, TLS included.",
    },
    firstByte: {
      kind: "duration",
      default: "10m",
      min: "1s",
      max: "1h",
      reload: "live",
      manual:
        "Longest time until the upstream's answer begins. Models that think long before they speak need minutes.",
    },
    idle: {
      kind: "duration",
      default: "5m",
      min: "1s",
      max: "1h",
      reload: "live",
      manual: "Longest silence of the upstream within an answer that has begun.",
    },
    clientHeaders: {
      kind: "duration",
      default: "30s",
      min: "1s",
      max: "10m",
      reload: "restart",
      manual: "Longest time a client may take to send the head of a request.",
    },
    clientBody: {
      kind: "duration",
      default: "5m",
      min: "1s",
      max: "1h",
      reload: "restart",
      manual: "Longest time a client may take to send a whole request.",
    },
    clientStall: {
      kind: "duration",
      default: "2m",
      min: "1s",
      max: "1h",
      reload: "restart",
      manual:
        "Longest time a client may take none of an answer that is ready for it; then it is cut off, and its upstream with it.",
    },
    clientIdle: {
      kind: "duration",
      default: "75s",
      min: "1s",
      max: "1h",
      reload: "restart",
      manual: "Time an unused client connection is kept open for a next request.",
    },
  },
} as const satisfies Section;

export const CORS_SECTION = {
  kind: "section",
  title: "Web pages (CORS)",
  options: {
    origins: {
      kind: "list",
      default: ["*"],
      form: "`*`, or origins such as https://app.example",
      pattern:
        /^(?:\*|[a-z][a-z0-9+.-]{0,31}:\/\/[A-Za-z0-9.-]{1,253}(?::\d{1,5})?|https?:\/\/\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?)$/,
      none: "none",
      reload: "live",
      manual:
        "Origins of web pages whose scripts may call the gateway. `*` allows all, `none` switches CORS off.",
    },
    anonymousOrigins: {
      kind: "list",
      default: ["local"],
      form: "`local`, `*`, or origins such as https://app.example",
      pattern:
        /^(?:local|\*|[a-z][a-z0-9+.-]{0,31}:\/\/[A-Za-z0-9.-]{1,253}(?::\d{1,5})?|https?:\/\/\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?)$/,
      none: "none",
      reload: "live",
      manual:
        "Origins of web pages that may use the gateway without an auth key. `local` stands for pages of this machine: without this rule any page that you visit could spend your quota through a gateway on your machine.",
    },
  },
} as const satisfies Section;
