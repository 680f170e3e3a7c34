/**
 * Holds thousands of streams open and counts their events. Load process. An event is lost when a stream ends with fewer
 * than were sent: who knows how many were sent compares.
 */
import { Connection, requestBytesOf } from "./connection.ts";
import type { LoadJobs, StreamsResult } from "./protocol.ts";

/** Connections that wait for their first event at once: more would fill the contender's queue of connections. */
const OPENING_MAX = 250;
/** Longest time until every stream has brought an event. */
const OPEN_MS = 60_000;
/** Longest time of the streams after that. */
const FINISH_MS = 180_000;

export class StreamLoad {
  readonly #streams = new Set<Connection>();
  #events = 0;
  #complete = 0;
  #broken = 0;
  #onChange: () => void = () => {};

  /** Opens the streams, {@link OPENING_MAX} at a time; resolves when each has brought an event or broken. */
  async open({
    target,
    streams,
  }: LoadJobs["openStreams"]["order"]): Promise<{ open: number; failed: number }> {
    this.#events = this.#complete = this.#broken = 0;
    const request = requestBytesOf(target);
    let started = 0;
    let begun = 0;
    await this.#until(OPEN_MS, () => {
      while (started < streams && started - begun - this.#broken < OPENING_MAX) {
        started += 1;
        this.#start(target, request, () => {
          begun += 1;
        });
      }
      return begun + this.#broken >= streams;
    });
    return { open: begun, failed: this.#broken };
  }

  countEvents(): { events: number; ended: number } {
    return { events: this.#events, ended: this.#complete + this.#broken };
  }

  async finish(): Promise<StreamsResult> {
    await this.#until(FINISH_MS, () => this.#streams.size === 0);
    return { events: this.#events, complete: this.#complete, broken: this.#broken };
  }

  #start(target: LoadJobs["openStreams"]["order"]["target"], request: Buffer, onFirst: () => void): void {
    let seen = 0;
    const connection = new Connection(target, {
      progressed: ({ reader }) => {
        const isFirst = seen === 0 && reader.events > 0;
        this.#events += reader.events - seen;
        seen = reader.events;
        if (isFirst) onFirst();
        if (reader.state === "complete") this.#end(connection, seen > 0);
        else if (isFirst) this.#onChange();
      },
      closed: () => this.#end(connection, false),
    });
    this.#streams.add(connection);
    connection.send(request);
  }

  #end(connection: Connection, isComplete: boolean): void {
    if (!this.#streams.delete(connection)) return;
    connection.destroy();
    if (isComplete) this.#complete += 1;
    else this.#broken += 1;
    this.#onChange();
  }

  /** Resolves when the condition holds, asked now and at every change. Rejects after the time, with all streams closed. */
  async #until(timeoutMs: number, condition: () => boolean): Promise<void> {
    if (condition()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#onChange = () => {
      if (condition()) resolve();
    };
    const timer = setTimeout(() => {
      for (const stream of this.#streams) stream.destroy();
      this.#streams.clear();
      reject(new Error(`the streams did not come to this within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#onChange = () => {};
    }
  }
}
