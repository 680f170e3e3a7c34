/** Models as a caller states them, and the bounds of their streams. Pure data, plain JSON. */

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

export const STREAM_EVENTS_MAX = 100_000;
export const STREAM_INTERVAL_MS_MAX = 60_000;
export const STREAM_TEXT_BYTES_MAX = 1024 * 1024;
