/**
 * Keeps the store equal to the key files: at start, when the folder changes, and every interval.
 * Primary thread, in steps of a few milliseconds. Must never log a key, and never take keys away on a doubt.
 */
import { mkdir } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "pino";
import { OperatorError, systemCodeOf } from "../../control/operator-error.ts";
import { isHindrance } from "../store/damage.ts";
import { PRIVATE_FOLDER_MODE } from "../store/private-file.ts";
import type { AppliedKeyChange, KeyRow } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import { FolderReader } from "./folder-reader.ts";
import { FolderWatch } from "./folder-watch.ts";
import { KnownKeys, type SecretKey } from "./known-keys.ts";
import { planSync, sliceChange, type SyncPlan } from "./plan-sync.ts";
import { deleteLeftovers } from "./replace-file.ts";
import { runInSteps, type Steps } from "./steps.ts";

/** Changes come in bursts; the sync waits this long after the first of them. Milliseconds. */
const GATHER_MS = 100;
/** How soon a folder that could not be read is tried again, milliseconds. */
const UNREADABLE_RETRY_MS = 5_000;

export interface KeySyncOptions {
  readonly keysDir: string;
  /** Milliseconds between two syncs when nothing is seen to change. */
  readonly intervalMs: number;
  readonly store: Pick<Store, "keys">;
  readonly log: Logger;
  /** Called once for each transaction, with at most `CHANGE_ROWS_MAX` rows; must not throw. */
  readonly onChange: (change: AppliedKeyChange) => void;
  /** Milliseconds since the epoch; defaults to the system's clock. */
  readonly nowMs?: () => number;
  readonly settleMs?: number;
  readonly removalSettleMs?: number;
}

/** What one sync did. Counts only. */
export interface SyncReport {
  /** False when the folder could not be read: nothing was changed. */
  readonly isReadable: boolean;
  /** Keys in use afterwards. */
  readonly keys: number;
  readonly added: number;
  readonly restored: number;
  readonly relabelled: number;
  readonly retired: number;
  /** Keys that were not found but stay because their file is in doubt. */
  readonly keptInDoubt: number;
  readonly duplicates: number;
}

export class KeySync implements Disposable {
  readonly #options: KeySyncOptions;
  readonly #nowMs: () => number;
  readonly #reader: FolderReader;
  readonly #watch: FolderWatch;
  readonly #known = new KnownKeys();
  readonly #ending = new AbortController();
  #trusted = new Set<string>();
  #current: Promise<unknown> = Promise.resolve();
  #queued: Promise<SyncReport> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wakeAtMs = Infinity;
  /** Why the folder could not be read the last time; "" when it could. */
  #problem = "";

  constructor(options: KeySyncOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#reader = new FolderReader({ ...options, known: this.#known });
    this.#watch = new FolderWatch(options.keysDir, () => this.#wakeIn(GATHER_MS));
  }

  /** Rows of the store that somebody has read anyway; with all of them, {@link start} need not read them again. */
  know(rows: readonly KeyRow[]): void {
    this.#known.load(rows);
  }

  /** Loads what the store knows, syncs for the first time and keeps watch from then on. */
  async start({ isLoaded = false } = {}): Promise<SyncReport> {
    if (!isLoaded) await runInSteps(this.#load());
    await this.#prepareFolder();
    return this.sync().catch((error: unknown) => this.#startWithout(error));
  }

  /**
   * Syncs now. Only one runs at a time; a call during one waits for the next, which it shares with others.
   * @param trusted names of key files the caller has just replaced as a whole: believed at once
   * @throws the store's error, or an AbortError when disposed meanwhile
   */
  sync(trusted: Iterable<string> = []): Promise<SyncReport> {
    for (const name of trusted) this.#trusted.add(name);
    if (this.#queued !== undefined) return this.#queued;
    const next = this.#current.then(() => {
      this.#queued = undefined;
      return this.#run();
    });
    this.#queued = next;
    this.#current = next.catch(() => undefined);
    return next;
  }

  /** The keys as this sync knows them. */
  get knownKeys(): Iterable<SecretKey> {
    return this.#known.values();
  }

  /** Syncs in a moment, in the background. */
  syncSoon(): void {
    this.#wakeIn(GATHER_MS);
  }

  /** Stops watching; a sync under way ends after its present step. */
  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#watch[Symbol.dispose]();
    clearTimeout(this.#timer);
  }

  *#load(): Steps<void> {
    for (const page of this.#options.store.keys.pages()) {
      this.#known.load(page);
      yield;
    }
  }

  async #run(): Promise<SyncReport> {
    const { signal } = this.#ending;
    signal.throwIfAborted();
    this.#clearWake();
    const trusted = this.#trusted;
    this.#trusted = new Set();
    try {
      const view = await this.#reader.read(this.#nowMs(), trusted, signal);
      this.#tellProblem("");
      const plan = await runInSteps(planSync(this.#known, view.files, view.isInDoubt), { signal });
      await this.#apply(plan);
      this.#watch.follow(view.identity);
      this.#wakeIn(Math.min(view.lookAgainInMs() ?? Infinity, this.#options.intervalMs));
      return this.#report(plan);
    } catch (error) {
      this.#wakeIn(Math.min(UNREADABLE_RETRY_MS, this.#options.intervalMs));
      if (!(error instanceof OperatorError)) throw error;
      this.#tellProblem(error.message);
      return { ...NOTHING_DONE, isReadable: false, keys: this.#known.inUse };
    }
  }

  /** Once for each problem, not at each of the tries that follow within seconds. */
  #tellProblem(problem: string): void {
    const { log } = this.#options;
    const isNew = problem !== this.#problem;
    this.#problem = problem;
    if (problem !== "") {
      log[isNew ? "warn" : "debug"]({ problem }, "key files not readable; the known keys stay in use");
    } else if (isNew) {
      log.info("key files readable again");
    }
  }

  /** A database that cannot be written now costs the keys that are new; those it knows can serve. Tried again soon. */
  #startWithout(error: unknown): SyncReport {
    if (!isHindrance(error)) throw error;
    this.#options.log.error(
      { code: systemCodeOf(error) },
      "new keys cannot be taken in: the database cannot be written",
    );
    return { ...NOTHING_DONE, isReadable: true, keys: this.#known.inUse };
  }

  async #apply(plan: SyncPlan): Promise<void> {
    for (const slice of sliceChange(plan)) {
      this.#ending.signal.throwIfAborted();
      const applied = this.#options.store.keys.change(slice, this.#nowMs());
      // A transaction may have met a checkpoint of the database: what follows from it waits for a turn of its own.
      await nextTurn();
      this.#known.apply(applied);
      this.#options.onChange(applied);
      await nextTurn();
    }
  }

  #report(plan: SyncPlan): SyncReport {
    const { duplicates, conflicts } = plan;
    const report = {
      isReadable: true,
      keys: this.#known.inUse,
      added: plan.add.length,
      restored: plan.restore.length,
      relabelled: plan.relabel.length,
      retired: plan.retire.length,
      keptInDoubt: plan.keptInDoubt,
      duplicates,
    };
    const hasChanged = report.added + report.restored + report.relabelled + report.retired > 0;
    this.#options.log[hasChanged ? "info" : "debug"](report, "key files synchronised");
    if (conflicts > 0)
      this.#options.log.warn({ conflicts }, "keys listed under two projects; the first one counts");
    return report;
  }

  /**
   * A missing folder is created, so that it can be watched and a first file dropped into it, unless keys are known:
   * then it is rather a disk that is away.
   */
  async #prepareFolder(): Promise<void> {
    const { keysDir, log } = this.#options;
    try {
      if (this.#known.inUse === 0) await mkdir(keysDir, { recursive: true, mode: PRIVATE_FOLDER_MODE });
      await deleteLeftovers(keysDir, this.#nowMs());
    } catch (error) {
      log.debug({ code: systemCodeOf(error) }, "folder of keys could not be prepared");
    }
  }

  /** One timer for all reasons to look again; the earliest wins. */
  #wakeIn(delayMs: number): void {
    if (this.#ending.signal.aborted) return;
    const atMs = performance.now() + delayMs;
    if (atMs >= this.#wakeAtMs) return;
    this.#clearWake();
    this.#wakeAtMs = atMs;
    this.#timer = setTimeout(() => this.#wake(), delayMs);
    this.#timer.unref();
  }

  #clearWake(): void {
    clearTimeout(this.#timer);
    this.#wakeAtMs = Infinity;
  }

  #wake(): void {
    this.#clearWake();
    this.sync().catch((error: unknown) => {
      if (this.#ending.signal.aborted) return;
      this.#options.log.error({ code: systemCodeOf(error) }, "key files could not be synchronised");
    });
  }
}

const NOTHING_DONE = {
  added: 0,
  restored: 0,
  relabelled: 0,
  retired: 0,
  keptInDoubt: 0,
  duplicates: 0,
} as const;
