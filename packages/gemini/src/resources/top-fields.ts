/**
 * What stands at the top of a body besides references: model, agent, whether a stream is wanted. Of two keys alike the
 * last counts, as in JSON. Pure; filled by the scanner, one for each body.
 */
import type { Span } from "./body-reading.ts";
import { KEY } from "./reference-keys.ts";
import { NAME_LENGTH_MAX } from "./resource-name.ts";

export class TopFields {
  model: string | undefined;
  agent: string | undefined;
  stream = false;
  #models = 0;
  #span: Span | undefined;

  /** Where the model stands, when there is just one. */
  get modelSpan(): Span | undefined {
    return this.#models === 1 ? this.#span : undefined;
  }

  /** The key comes: what an earlier one said is void. */
  beginKey(key: number): void {
    if (key === KEY.model) {
      this.model = undefined;
      this.#models += 1;
    } else if (key === KEY.agent) this.agent = undefined;
    else if (key === KEY.stream) this.stream = false;
  }

  takeText(key: number, text: string, start: number, end: number): void {
    if (text.length > NAME_LENGTH_MAX) return;
    if (key === KEY.model) {
      this.model = text;
      this.#span = { start, end };
    } else if (key === KEY.agent) this.agent = text;
  }
}
