/**
 * What a caller states when starting the emulator, and the bounds of it. Pure data; may be read from a script file, so
 * every field is plain JSON (but for `now` and `tls`).
 */
import type { FaultRule } from "./fault-rules.ts";
import type { ProjectSpec } from "./project-spec.ts";

/** One model: added to the built-in catalogue, or replacing the one of the same name. */
export interface ModelSpec {
  /** Without the `models/` prefix. */
  readonly name: string;
  /** The model that really answers and whose quota is charged, as with Google's `-latest` aliases. */
  readonly resolvesTo?: string;
  /** `supportedGenerationMethods`. Default: those of a generating model. */
  readonly methods?: readonly string[];
  readonly inputTokenLimit?: number;
  readonly outputTokenLimit?: number;
  /** Thinking models spend a tiny `maxOutputTokens` on thoughts and answer without parts. */
  readonly thinking?: boolean;
  /** Length of an embedding vector. Default 768. */
  readonly dimensions?: number;
  /** Stream shape: number of events, 1..{@link STREAM_EVENTS_MAX}. Default 4. */
  readonly events?: number;
  /** Pause between events, milliseconds, 0..{@link STREAM_INTERVAL_MS_MAX}. Default 0. */
  readonly intervalMs?: number;
  /** Text bytes in each event, 1..{@link STREAM_TEXT_BYTES_MAX}. Default: what the answer needs. */
  readonly textBytes?: number;
}

/** PEM texts; with them the emulator speaks HTTPS, HTTP/2 and HTTP/1.1. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
}

export interface EmulatorOptions {
  /** 0 (default) lets the system choose. */
  readonly port?: number;
  /** Only loopback: the emulator must never be reachable by accident. */
  readonly host?: "127.0.0.1";
  /** Default: {@link DEFAULT_PROJECTS}. */
  readonly projects?: readonly ProjectSpec[];
  readonly models?: readonly ModelSpec[];
  /** Wall clock of the quota buckets and fault windows, milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Faults in force from the start. */
  readonly script?: readonly FaultRule[];
  /** Pre-built answers, no logging of bodies, no quota, no faults: for the bench. */
  readonly minimal?: boolean;
  readonly tls?: TlsOptions;
  /** Largest request body, bytes; above it a 400. Default {@link REQUEST_BYTES_MAX}. */
  readonly requestBytesMax?: number;
  /** Calls kept in {@link CallLog.recent}. Default 1,000. */
  readonly callsKept?: number;
}

export const STREAM_EVENTS_MAX = 100_000;
export const STREAM_INTERVAL_MS_MAX = 60_000;
export const STREAM_TEXT_BYTES_MAX = 1024 * 1024;
/** Google's documented bound on an inline request. */
export const REQUEST_BYTES_MAX = 100 * 1024 * 1024;
