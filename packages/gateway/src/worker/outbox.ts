/**
 * Collects what a worker has to tell the primary and sends it in batches: at load far fewer messages than requests.
 * Worker threads. What is urgent (a wish somebody waits for, a failure) goes at the end of the current turn of the
 * event loop; the rest when the batch is full or {@link FLUSH_INTERVAL_MS} has passed.
 */
import type { LeasePocket } from "@gemini-gateway/core/lease-pocket";
import type { MessagePort } from "node:worker_threads";
import type { NumberedWish, RequestRow, ToPrimary } from "../protocol.ts";

const FLUSH_INTERVAL_MS = 50;
/** Rows that make a batch worth sending at once. */
const BATCH_ROWS = 256;

export class Outbox {
  readonly #channel: MessagePort;
  readonly #pocket: LeasePocket;
  #wishes: NumberedWish[] = [];
  #rows: RequestRow[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isUrgent = false;

  /** @param pocket its reports (settlements and returns) travel in the same messages, before the wishes */
  constructor(channel: MessagePort, pocket: LeasePocket) {
    this.#channel = channel;
    this.#pocket = pocket;
  }

  wish(wish: NumberedWish): void {
    this.#wishes.push(wish);
    this.atOnce();
  }

  log(row: RequestRow): void {
    this.#rows.push(row);
    if (this.#rows.length >= BATCH_ROWS) this.atOnce();
    else this.soon();
  }

  /** Sends with others, within {@link FLUSH_INTERVAL_MS}. */
  soon(): void {
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_INTERVAL_MS);
  }

  /** Sends at the end of this turn of the event loop. */
  atOnce(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    setImmediate(() => this.flush());
  }

  /** Sends everything collected so far. */
  flush(): void {
    this.#isUrgent = false;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    const { settlements = [], returns = [] } = this.#pocket.takeReports() ?? {};
    if (settlements.length + returns.length + this.#wishes.length + this.#rows.length === 0) return;
    const message: ToPrimary = {
      type: "report.send",
      settlements,
      returns,
      wishes: this.#wishes,
      rows: this.#rows,
    };
    this.#channel.postMessage(message);
    this.#wishes = [];
    this.#rows = [];
  }
}
