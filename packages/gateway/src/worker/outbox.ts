/**
 * Collects what a worker has to tell the primary and sends it in batches: at load far fewer messages than requests.
 * Worker threads. What is urgent (a wish somebody waits for, a failure) goes at the end of the current turn of the
 * event loop; the rest when the batch is full or {@link FLUSH_INTERVAL_MS} has passed, twice that while there is much.
 */
import type { LeaseId } from "@gemini-gateway/core/lease";
import type { LeasePocket } from "@gemini-gateway/core/lease-pocket";
import type { MessagePort } from "node:worker_threads";
import type { NumberedWish, ToPrimary } from "../protocol.ts";
import type { RequestRow } from "../request-row.ts";
import { RowCollector } from "../row-batch.ts";

const FLUSH_INTERVAL_MS = 50;
/** The interval of a busy worker: with many workers each has little to tell in the shorter one. */
const BUSY_INTERVAL_MS = 100;
/** Rows of the last batch that make a worker busy. */
const BUSY_ROWS = 8;
/** Rows that make a batch worth sending at once. */
const BATCH_ROWS = 256;

export class Outbox {
  readonly #channel: MessagePort;
  readonly #pocket: LeasePocket;
  readonly #rows = new RowCollector();
  #wishes: NumberedWish[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;
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
    this.#rows.add(row);
    if (this.#rows.count >= BATCH_ROWS) this.atOnce();
    else this.soon();
  }

  /** Tells at once, as the rare news it is: not before what was collected, whose order with this does not matter. */
  proved(leaseId: LeaseId): void {
    const message: ToPrimary = { type: "lease.proved", leaseId };
    this.#channel.postMessage(message);
  }

  /** Sends with others, within {@link BUSY_INTERVAL_MS}. */
  soon(): void {
    this.#timer ??= setTimeout(() => this.flush(), this.#isBusy ? BUSY_INTERVAL_MS : FLUSH_INTERVAL_MS);
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
    this.#isBusy = this.#rows.count >= BUSY_ROWS;
    const { served = [], settlements = [], returns = [] } = this.#pocket.takeReports() ?? {};
    const wishes = this.#wishes;
    const rows = this.#rows.take();
    const reports = served.length + settlements.length + returns.length;
    if (reports + wishes.length === 0 && rows === undefined) return;
    this.#wishes = [];
    const message: ToPrimary = { type: "report.send", served, settlements, returns, wishes, rows };
    this.#channel.postMessage(message, rows === undefined ? [] : [rows.numbers.buffer]);
  }
}
