/**
 * The bans in force: those an operator set and those an address earned by itself. Primary thread, which alone stores
 * them; it tells the workers of every change in batches. A database that cannot be written delays the storing, never
 * the ban.
 */
import { formatNetwork, type Network, parseNetwork } from "@gemini-gateway/core/network/network";
import type { Logger } from "pino";
import type { BanNotice, GuardToWorker } from "../../limits/messages.ts";
import { OperatorError } from "../../control/operator-error.ts";
import type { BanRow, BanTable } from "../store/ban-table.ts";

export interface BanBookOptions {
  readonly table: BanTable;
  readonly log: Pick<Logger, "warn" | "error">;
  /** How long an address is banned that asked too much, milliseconds; Infinity for ever. */
  readonly banMs: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly publish: (message: GuardToWorker) => void;
  /** Forgets how much the addresses of a network asked, so that the end of its ban is not at once the next one's beginning. */
  readonly forget: (network: Network) => void;
}

/** Most bans at once; beyond it addresses are still refused while they ask too much, and one line a minute says so. */
const BANS_MAX = 100_000;
/** Bans set or ended in one go: a message to every worker, and a transaction. */
const BATCH_MAX = 1_000;
/** After a failure to write the next try waits this long, milliseconds. */
const WRITE_AGAIN_MS = 5_000;
const COMPLAINT_INTERVAL_MS = 60_000;
/** Addresses named in one line of the log. */
const NAMED_MAX = 10;

export class BanBook {
  readonly #options: BanBookOptions;
  /** By network as it is written. */
  readonly #bans = new Map<string, BanRow>();
  /** Earned since the last tick: not told to the workers yet. */
  #earned: BanRow[] = [];
  /** Not in the database yet; undefined stands for an end. */
  readonly #unsaved = new Map<string, BanRow | undefined>();
  #nextEndMs = Number.POSITIVE_INFINITY;
  #writeAgainAtMs = 0;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BanBookOptions) {
    this.#options = options;
    for (const row of options.table.load()) this.#keep(row);
  }

  get size(): number {
    return this.#bans.size;
  }

  /** Every ban, the oldest first. */
  list(): readonly BanRow[] {
    return [...this.#bans.values()];
  }

  /** What a worker that starts must know. */
  notices(): readonly BanNotice[] {
    return [...this.#bans.values()].flatMap(noticeOf);
  }

  /** Bans what an operator names, at once. @throws OperatorError or the system's error when it cannot be kept */
  add(rows: readonly BanRow[]): void {
    if (this.#bans.size + rows.length > BANS_MAX) {
      throw new OperatorError("bad-request", `There cannot be more than ${BANS_MAX} bans: end some first.`);
    }
    this.#options.table.change(rows, []);
    for (const row of rows) {
      this.#unsaved.delete(row.network);
      this.#keep(row);
    }
    this.#publish(rows, []);
  }

  /** Ends bans at once; returns those there were. @throws the system's error when it cannot be stored */
  remove(networks: readonly string[]): readonly string[] {
    const removed = networks.filter((network) => this.#bans.has(network));
    this.#options.table.change([], removed);
    for (const network of removed) this.#unsaved.delete(network);
    this.#end(removed);
    return removed;
  }

  /** Bans an address that asked too much; the workers hear of it at the next {@link tick}. */
  earned(network: Network): void {
    const text = formatNetwork(network);
    if (this.#bans.has(text)) return;
    if (this.#bans.size >= BANS_MAX) {
      this.#complain(
        `there are ${BANS_MAX} bans: no more are kept, end some with \`gemini-gateway bans remove\``,
      );
      return;
    }
    const { now, banMs } = this.#options;
    const sinceMs = now();
    const lastsMs = banMs();
    const untilMs = Number.isFinite(lastsMs) ? sinceMs + lastsMs : null;
    const row: BanRow = { network: text, reason: "requests-per-hour", note: null, sinceMs, untilMs };
    this.#keep(row);
    this.#earned.push(row);
    this.#unsaved.set(text, row);
  }

  /** Ends what is over, tells the workers what is new, writes what is not written. To be called several times a second. */
  tick(): void {
    const nowMs = this.#options.now();
    if (nowMs >= this.#nextEndMs) this.#endDue(nowMs);
    const fresh = this.#earned.splice(0, BATCH_MAX);
    if (fresh.length > 0) {
      this.#publish(fresh, []);
      const named = fresh.slice(0, NAMED_MAX).map(({ network }) => network);
      this.#options.log.warn(
        { banned: fresh.length, networks: named },
        "banned for too many requests in an hour",
      );
    }
    if (this.#unsaved.size > 0 && nowMs >= this.#writeAgainAtMs) this.#write(nowMs);
  }

  /** Writes everything that is not written; at the end of the process. */
  flush(): void {
    while (this.#unsaved.size > 0 && this.#write(this.#options.now()));
  }

  #keep(row: BanRow): void {
    this.#bans.set(row.network, row);
    if (row.untilMs !== null) this.#nextEndMs = Math.min(this.#nextEndMs, row.untilMs);
  }

  #endDue(nowMs: number): void {
    const rows = [...this.#bans.values()].filter(({ untilMs }) => untilMs !== null);
    const due = rows.filter(({ untilMs }) => untilMs !== null && untilMs <= nowMs).slice(0, BATCH_MAX);
    for (const { network } of due) this.#unsaved.set(network, undefined);
    this.#end(due.map(({ network }) => network));
    const left = rows.filter(({ network }) => this.#bans.has(network));
    this.#nextEndMs = left.reduce(
      (next, { untilMs }) => Math.min(next, untilMs ?? next),
      Number.POSITIVE_INFINITY,
    );
  }

  #end(networks: readonly string[]): void {
    if (networks.length === 0) return;
    const parsed = networks.flatMap((text) => parseNetwork(text) ?? []);
    for (const network of networks) this.#bans.delete(network);
    this.#earned = this.#earned.filter(({ network }) => this.#bans.has(network));
    for (const network of parsed) this.#options.forget(network);
    this.#publish([], parsed);
  }

  #publish(rows: readonly BanRow[], removed: readonly Network[]): void {
    const added = rows.flatMap(noticeOf);
    if (added.length + removed.length > 0) this.#options.publish({ type: "bans.changed", added, removed });
  }

  /** Says whether it could be written. */
  #write(nowMs: number): boolean {
    const batch = [...this.#unsaved].slice(0, BATCH_MAX);
    try {
      this.#options.table.change(
        batch.flatMap(([, row]) => row ?? []),
        batch.flatMap(([network, row]) => (row === undefined ? [network] : [])),
      );
    } catch (error) {
      this.#writeAgainAtMs = nowMs + WRITE_AGAIN_MS;
      this.#complain("bans cannot be written to the database; they hold until the gateway ends", error);
      return false;
    }
    for (const [network] of batch) this.#unsaved.delete(network);
    return true;
  }

  #complain(what: string, error?: unknown): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#complainedAtMs < COMPLAINT_INTERVAL_MS) return;
    this.#complainedAtMs = nowMs;
    this.#options.log.error({ err: error }, what);
  }
}

/** Nothing for a row that cannot be read: a ban nobody can understand bans nobody. */
function noticeOf({ network: text, untilMs }: BanRow): BanNotice[] {
  const network = parseNetwork(text);
  return network === undefined ? [] : [{ network, untilMs }];
}
