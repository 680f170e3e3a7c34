/** What a client says before its session is set up: kept, within bounds, until somebody can hear it. Worker threads. */
import type { LiveMessage } from "./live-attempt.ts";

const MESSAGES_MAX = 256;
const BYTES_MAX = 1_048_576;

export class SentAhead {
  #messages: LiveMessage[] = [];
  #bytes = 0;

  /** False when no more should be read: what was under way still comes. */
  keep(message: LiveMessage): boolean {
    this.#messages.push(message);
    this.#bytes += message.data.length;
    return this.#messages.length < MESSAGES_MAX && this.#bytes < BYTES_MAX;
  }

  take(): readonly LiveMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }
}
