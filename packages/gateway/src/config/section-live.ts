/**
 * The options of Live sessions (WebSocket). A part of the schema in `config.ts`; data only.
 */
import type { Section } from "./option.ts";

export const LIVE_SECTION = {
  kind: "section",
  title: "Live sessions (WebSocket)",
  options: {
    sessions: {
      kind: "integer",
      default: 2_000,
      min: 0,
      max: 1_000_000,
      unit: "sessions",
      reload: "live",
      manual:
        "Most Live sessions at once, over all workers; more are refused with 503 and `Retry-After`. 0 refuses all.",
    },
    idle: {
      kind: "duration",
      default: "30m",
      min: "1s",
      max: "24h",
      endless: "never",
      reload: "live",
      manual: "Longest time without a message in either direction; then the session is closed with 1001.",
    },
    setup: {
      kind: "duration",
      default: "20s",
      min: "100ms",
      max: "5m",
      reload: "live",
      manual:
        "Longest time a client may take to send its setup, and the upstream to answer it; then the next key is tried.",
    },
    ping: {
      kind: "duration",
      default: "30s",
      min: "100ms",
      max: "1h",
      reload: "live",
      manual:
        "Time of silence after which a peer is asked by a ping whether it lives. One that answers none of three is cut off; one that answers is not, however long it says nothing.",
    },
    message: {
      kind: "size",
      default: "4MB",
      min: "1KB",
      max: "256MB",
      reload: "live",
      manual: "Largest message of either side; a larger one ends the session with 1009.",
    },
  },
} as const satisfies Section;
