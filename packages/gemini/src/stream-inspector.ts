/**
 * Watches the beginning of a stream until it is clear whether the stream is worth sending to the client.
 * Runs on the HTTP workers while the chunks are held back; after the first verdict it is dropped.
 * The verdict depends on the bytes alone, never on how they were cut into chunks.
 */
import { contentOf } from "./answer-content.ts";
import type { Surface } from "./path-grammar.ts";
import { ElementFraming, EventFraming, type Framed, type Framing } from "./stream-framing.ts";

export type StreamDialect = "sse" | "json-array" | "openai-sse" | "interactions-sse";

export type StreamVerdict =
  | { readonly kind: "undecided" }
  /** Send it. */
  | { readonly kind: "meaningful" }
  /** The stream began with an error; `body` is its JSON text. */
  | { readonly kind: "error"; readonly body: string }
  /** It ended with nothing for the client in it. */
  | { readonly kind: "empty" }
  /** Not the stream it should be, or cut off inside its first event. */
  | { readonly kind: "broken" };

/** Bytes looked at; a stream that says so much has begun to say something (an image in one event, for instance). */
export const PEEK_BYTES_MAX = 262_144;

const SURFACES: Readonly<Record<StreamDialect, Surface>> = {
  sse: "native",
  "json-array": "native",
  "openai-sse": "openai",
  "interactions-sse": "interactions",
};

const UNDECIDED: StreamVerdict = { kind: "undecided" };

export class StreamInspector {
  readonly #surface: Surface;
  readonly #framing: Framing;
  #bytes = 0;
  #verdict: StreamVerdict = UNDECIDED;

  constructor(dialect: StreamDialect) {
    this.#surface = SURFACES[dialect];
    this.#framing = dialect === "json-array" ? new ElementFraming() : new EventFraming();
  }

  /** Takes the next chunk. The first verdict other than "undecided" stands, whatever follows. */
  push(chunk: Buffer): StreamVerdict {
    const end = Math.min(chunk.length, PEEK_BYTES_MAX - this.#bytes);
    let at = 0;
    while (at < end && this.#verdict.kind === "undecided") {
      at = this.#framing.read(chunk, at, end);
      this.#judge(this.#framing.found);
    }
    this.#bytes += end;
    if (end < chunk.length && this.#verdict.kind === "undecided") this.#verdict = { kind: "meaningful" };
    return this.#verdict;
  }

  /** The stream is over. Never "undecided". */
  end(): StreamVerdict {
    if (this.#verdict.kind === "undecided") this.#judge(this.#framing.end());
    if (this.#verdict.kind === "undecided") this.#verdict = { kind: "empty" };
    return this.#verdict;
  }

  #judge(framed: Framed | undefined): void {
    if (framed === undefined) return;
    this.#verdict = framed.kind === "garbage" ? { kind: "broken" } : judgeText(framed.text, this.#surface);
  }
}

function judgeText(text: string, surface: Surface): StreamVerdict {
  // The end mark of compatible streams and of Interactions is the only event that is not JSON.
  if (text.trim() === "[DONE]" || text.trim() === "") return UNDECIDED;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "broken" };
  }
  const content = contentOf(value, surface);
  if (content === "error") return { kind: "error", body: text };
  return content === "meaningful" ? { kind: "meaningful" } : UNDECIDED;
}
