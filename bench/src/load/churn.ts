/**
 * Streams opened and ended without a pause, so many at a time: most to their end, every so many left by the client after
 * the first event, half of the others on a connection that is used again. Load process.
 */
import { Connection, requestBytesOf } from "./connection.ts";
import type { ChurnResult, LoadJobs } from "./protocol.ts";

/** Pause before a connection that broke is replaced, so that a gateway that is down is not hammered. */
const AGAIN_MS = 20;
/** One in so many that have ended is not used for another stream. */
const CLOSE_EVERY = 2;

export async function churn(order: LoadJobs["churn"]["order"]): Promise<ChurnResult> {
  using load = new Churn(order);
  return await load.run();
}

class Churn implements Disposable {
  readonly #order: LoadJobs["churn"]["order"];
  readonly #request: Buffer;
  readonly #open = new Set<Connection>();
  readonly #result = { begun: 0, complete: 0, left: 0, broken: 0, refused: 0 };
  #isOver = false;

  constructor(order: LoadJobs["churn"]["order"]) {
    this.#order = order;
    this.#request = requestBytesOf(order.target);
  }

  async run(): Promise<ChurnResult> {
    for (let count = 0; count < this.#order.streams; count += 1) this.#connect();
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, this.#order.durationMs);
    await promise;
    return this.#result;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const connection of this.#open) connection.destroy();
  }

  #connect(): void {
    if (this.#isOver) return;
    const connection = new Connection(this.#order.target, {
      progressed: () => this.#progress(connection),
      closed: () => {
        this.#open.delete(connection);
        this.#result.broken += 1;
        setTimeout(() => this.#connect(), AGAIN_MS);
      },
    });
    this.#open.add(connection);
    this.#begin(connection);
  }

  #begin(connection: Connection): void {
    this.#result.begun += 1;
    // The client leaves every so many: their first event is all it wants.
    connection.isDone = this.#result.begun % this.#order.leaveEvery === 0;
    connection.send(this.#request);
  }

  #progress(connection: Connection): void {
    const { state, status, events } = connection.reader;
    if (connection.isDone && events > 0) {
      this.#result.left += 1;
      this.#replace(connection);
    } else if (state === "complete") {
      if (status === 200) this.#result.complete += 1;
      else this.#result.refused += 1;
      if (this.#result.complete % CLOSE_EVERY === 0) this.#replace(connection);
      else this.#begin(connection);
    }
  }

  #replace(connection: Connection): void {
    this.#open.delete(connection);
    connection.destroy();
    this.#connect();
  }
}
