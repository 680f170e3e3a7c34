/**
 * A steady load: requests leave by the clock, whether or not earlier ones have been answered, so that a contender that
 * stalls cannot slow down those who measure it. Load process.
 */
import { latenciesOf } from "../statistics.ts";
import { Connection, requestBytesOf } from "./connection.ts";
import { CONNECTIONS_MAX, type LoadJobs, type PaceResult } from "./protocol.ts";
import { Schedule } from "./schedule.ts";
import { Ticker } from "./ticker.ts";

/** Connections made ready at once. */
const OPENING_MAX = 50;
/** Longest wait for the first answers of those. */
const FIRST_ANSWERS_MS = 10_000;
/** Longest wait for the last answers. */
const LAST_ANSWERS_MS = 15_000;

type PaceOrder = LoadJobs["pace"]["order"];

export async function pace(order: PaceOrder): Promise<PaceResult> {
  using load = new PacedLoad(order);
  await load.prepare();
  await load.send();
  await load.answered(LAST_ANSWERS_MS);
  return load.result();
}

class PacedLoad implements Disposable {
  readonly #order: PaceOrder;
  readonly #request: Buffer;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #latenciesMs: number[] = [];
  #waiting = 0;
  #failed = 0;
  #unsent = 0;
  #behindMs = 0;
  /** Only requests sent from then on are counted, milliseconds of the monotonic clock. */
  #countsFromMs = 0;
  #onAnswer: () => void = () => {};

  constructor(order: PaceOrder) {
    this.#order = order;
    this.#request = requestBytesOf(order.target);
  }

  /** Opens connections and sends one request over each; what comes of these is not counted. */
  async prepare(): Promise<void> {
    const { connectionsReady } = this.#order;
    while (this.#all.size < connectionsReady) {
      const count = Math.min(OPENING_MAX, connectionsReady - this.#all.size);
      const opening = Array.from({ length: count }, () => this.#connect());
      for (const connection of opening) {
        this.#waiting += 1;
        connection.send(this.#request);
      }
      await this.answered(FIRST_ANSWERS_MS);
      if (this.#failed > 0 || this.#waiting > 0) break;
    }
    this.#failed = 0;
  }

  /** No latency of what was sent before counts; a failure does. */
  #beginToCount(): void {
    this.#latenciesMs.length = 0;
    this.#behindMs = 0;
    this.#countsFromMs = performance.now();
  }

  /** Sends everything when it falls due: first that of which no latency is counted, then the rest. */
  async send(): Promise<void> {
    const { leadInMs, durationMs, ratePerSecond } = this.#order;
    const schedule = new Schedule({ ratePerSecond, durationMs: leadInMs + durationMs });
    const { promise, resolve } = Promise.withResolvers<void>();
    let startMs: number | undefined;
    let isCounting = false;
    await using _ticker = await Ticker.start(() => {
      const nowMs = performance.now();
      // Its first tick is when the clock starts.
      startMs ??= nowMs;
      const elapsedMs = nowMs - startMs;
      if (!isCounting && elapsedMs >= leadInMs) {
        isCounting = true;
        this.#beginToCount();
      }
      this.#behindMs = Math.max(this.#behindMs, schedule.lateMs(elapsedMs));
      for (let left = schedule.take(elapsedMs); left > 0; left -= 1) this.#sendOne();
      if (schedule.isOver) resolve();
    });
    await promise;
  }

  /** Resolves when all is answered, at the latest after so long: what is missing in the end has failed. */
  async answered(timeoutMs: number): Promise<void> {
    if (this.#waiting === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#onAnswer = () => {
      if (this.#waiting === 0) resolve();
    };
    await promise;
    clearTimeout(timer);
  }

  result(): PaceResult {
    return {
      served: this.#latenciesMs.length,
      failed: this.#failed + this.#waiting,
      unsent: this.#unsent,
      latencies: latenciesOf(this.#latenciesMs),
      behindMs: this.#behindMs,
    };
  }

  [Symbol.dispose](): void {
    for (const connection of this.#all) connection.destroy();
  }

  #sendOne(): void {
    const connection = this.#idle.pop() ?? (this.#all.size < CONNECTIONS_MAX ? this.#connect() : undefined);
    if (connection === undefined) {
      this.#unsent += 1;
      return;
    }
    this.#waiting += 1;
    connection.isDone = false;
    connection.send(this.#request);
  }

  #connect(): Connection {
    const connection = new Connection(this.#order.target, {
      progressed: () => this.#progress(connection),
      closed: () => this.#lose(connection),
    });
    this.#all.add(connection);
    return connection;
  }

  #progress(connection: Connection): void {
    const { reader } = connection;
    const isOver = reader.state === "complete";
    const isServed = reader.status >= 200 && reader.status <= 299;
    const isDue = this.#order.until === "end" ? isOver : reader.events > 0;
    if (isDue && isServed && !connection.isDone) {
      connection.isDone = true;
      if (connection.sentAtMs >= this.#countsFromMs)
        this.#latenciesMs.push(performance.now() - connection.sentAtMs);
    }
    if (!isOver) return;
    if (!connection.isDone) this.#failed += 1;
    this.#idle.push(connection);
    this.#settle();
  }

  #lose(connection: Connection): void {
    this.#all.delete(connection);
    const idleAt = this.#idle.indexOf(connection);
    if (idleAt >= 0) {
      // Closed while nothing was asked of it.
      this.#idle.splice(idleAt, 1);
      return;
    }
    if (!connection.isDone) this.#failed += 1;
    this.#settle();
  }

  #settle(): void {
    this.#waiting -= 1;
    this.#onAnswer();
  }
}
