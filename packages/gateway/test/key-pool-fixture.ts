/** A folder of keys, a store and a sync over them, in a temporary folder, for the tests of keys and control. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { KeySync, type KeySyncOptions } from "../src/primary/keys/key-sync.ts";
import type { AppliedKeyChange } from "../src/primary/store/rows.ts";
import { openStore, type Store } from "../src/primary/store/store.ts";

/** Every file looks settled: ten minutes have passed since whatever was written. */
export const SETTLED = (): number => Date.now() + 600_000;
/** No file looks settled, however slow the test's machine is. */
export const NEVER_SETTLED = { settleMs: 3_600_000, removalSettleMs: 3_600_000 } as const;

export interface KeyPoolFixture extends Disposable {
  readonly folder: string;
  readonly keysDir: string;
  readonly database: string;
  readonly store: Store;
  readonly log: Logger;
  /** What was logged so far, a JSON object a line. */
  logged(): string;
  write(name: string, text: string): void;
  read(name: string): string;
  files(): readonly string[];
  sync(options?: Partial<KeySyncOptions>): KeySync;
  /** Secrets in use according to the store, sorted. */
  inUse(): readonly string[];
  readonly changes: readonly AppliedKeyChange[];
  /** Resolves with the next change that the sync reports. */
  nextChange(): Promise<AppliedKeyChange>;
}

export function keyPoolFixture(): KeyPoolFixture {
  const folder = mkdtempSync(join(tmpdir(), "key-pool-"));
  const keysDir = join(folder, "keys");
  mkdirSync(keysDir);
  const cleanup = new DisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const database = join(folder, "gateway.db");
  const store = cleanup.use(openStore(database));
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const changes: AppliedKeyChange[] = [];
  const waiting: ((change: AppliedKeyChange) => void)[] = [];
  const onChange = (change: AppliedKeyChange): void => {
    changes.push(change);
    for (const resolve of waiting.splice(0)) resolve(change);
  };
  return {
    folder,
    keysDir,
    database,
    store,
    log,
    changes,
    logged: () => lines.join(""),
    write: (name, text) => writeFileSync(join(keysDir, name), text),
    read: (name) => readFileSync(join(keysDir, name), "utf8"),
    files: () => readdirSync(keysDir).toSorted(),
    sync: (options) =>
      cleanup.use(
        new KeySync({ keysDir, intervalMs: 300_000, store, log, onChange, nowMs: SETTLED, ...options }),
      ),
    inUse: () =>
      store.keys
        .load()
        .filter(({ retiredAtMs }) => retiredAtMs === null)
        .map(({ secret }) => secret)
        .toSorted(),
    nextChange: () => new Promise((resolve) => void waiting.push(resolve)),
    [Symbol.dispose]: () => cleanup.dispose(),
  };
}
