/** What is asked of every contender: the keys, models and bodies that all measurements share. Pure. */
import type { ModelSpec } from "gemini-emulator/model-spec";
import { PADDING_MARK } from "./load/exchange-bodies.ts";

const PATH = "/v1beta/models";

/** An ordinary short answer. */
export const UNARY_MODEL: ModelSpec = { name: "bench-unary", events: 4, textBytes: 100 };
export const UNARY_PATH = `${PATH}/${UNARY_MODEL.name}:generateContent`;

/** A stream whose first event comes at once and that ends soon. */
export const SHORT_STREAM_MODEL: ModelSpec = { name: "bench-short-stream", events: 4, textBytes: 100 };
export const SHORT_STREAM_PATH = `${PATH}/${SHORT_STREAM_MODEL.name}:streamGenerateContent?alt=sse`;

/** A question of some 200 bytes. */
export const QUESTION = JSON.stringify({
  contents: [{ role: "user", parts: [{ text: "How does a gateway spread its load? ".repeat(4) }] }],
});

/** A request that is padded when it is sent. */
export const PADDED_QUESTION = JSON.stringify({ contents: [{ parts: [{ text: PADDING_MARK }] }] });

/** Text bytes of one event of the streams that are held: a few words, as models send them. */
const EVENT_TEXT_BYTES = 100;

/** A model whose streams last for so many events. */
export function streamModel(name: string, events: number, intervalMs: number): ModelSpec {
  return { name, events, intervalMs, textBytes: EVENT_TEXT_BYTES };
}

export function streamPath(model: ModelSpec): string {
  return `${PATH}/${model.name}:streamGenerateContent?alt=sse`;
}

const EVENT_BYTES_MAX = 1024 * 1024;

/** A model whose answer, unary, is a little larger than so many bytes. */
export function largeModel(bytes: number): ModelSpec {
  return { name: "bench-large", events: Math.ceil(bytes / EVENT_BYTES_MAX), textBytes: EVENT_BYTES_MAX };
}

export function unaryPath(model: ModelSpec): string {
  return `${PATH}/${model.name}:generateContent`;
}

/** How every key of the bench begins: nobody takes them for real ones. */
export const KEY_PREFIX = "bench-fake-key-";

export function benchKeys(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${KEY_PREFIX}${index + 1}`);
}
