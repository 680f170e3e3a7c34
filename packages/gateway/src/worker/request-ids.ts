/** Request ids: unique over workers and restarts, cheap to make. Worker threads. */
import { randomBytes } from "node:crypto";

export class RequestIds {
  readonly #prefix: string;
  #last = 0;

  constructor() {
    this.#prefix = randomBytes(6).toString("hex");
  }

  next(): string {
    this.#last += 1;
    return `${this.#prefix}-${this.#last.toString(36)}`;
  }
}
