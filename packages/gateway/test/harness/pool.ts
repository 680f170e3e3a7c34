/**
 * A whole gateway for a test: the emulator, a folder of keys, and the real threads in front of them.
 * Everything is on loopback, in a folder of its own, and gone when the test ends.
 */
import type { KeyView } from "@gemini-gateway/core/scheduler/views";
import Database from "better-sqlite3";
import { startEmulator, type Emulator, type EmulatorOptions } from "gemini-emulator";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino, type Logger } from "pino";
import { ENTRIES as OPTIONS } from "../../src/config/entries.ts";
import { refuseUnknownFlags } from "../../src/config/flags.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { GatewayConfig } from "../../src/config.ts";
import { startGateway, type Gateway } from "../../src/primary/gateway.ts";
import type { RequestRow } from "../../src/request-row.ts";

export interface PoolOptions extends EmulatorOptions {
  /** Flags of `serve`, by name without dashes. */
  readonly flags?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Text of the one key file; by default every key of the emulator's projects, each project under its label. */
  readonly keyFile?: string;
  /** Another upstream in place of the emulator, with or without a path. */
  readonly upstream?: string;
}

export interface Pool extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly gateway: Gateway;
  readonly url: string;
  /** Holds `keys/` and the database. */
  readonly folder: string;
  readonly config: GatewayConfig;
  /** Everything logged so far, one JSON line each. */
  readonly logLines: readonly string[];
  /** Resolves with the row of the first finished request, past ones included, that satisfies the predicate. */
  requestLogged(predicate?: (row: LoggedRequest) => boolean): Promise<LoggedRequest>;
  /** All that the scheduler knows of one of the pool's keys. */
  keyView(secret: string): KeyView;
  /**
   * Drains the gateway and stops it; then every use that was lent must have ended by itself, settled or given back.
   * @throws Error naming what did not.
   */
  endsInBalance(): Promise<void>;
  /** Stops the gateway and starts it again on the same folder. */
  restart(): Promise<void>;
  /** Starts it again after it was stopped. */
  start(): Promise<void>;
}

/** The request line of the log. */
export type LoggedRequest = Omit<RequestRow, "fingerprint" | "keyId" | "atMs"> & { readonly key: string };

const WAIT_MS = 10_000;

export async function startPool(options: PoolOptions = {}): Promise<Pool> {
  await using cleanup = new AsyncDisposableStack();
  const emulator = cleanup.use(await startEmulator(options));
  const folder = await mkdtemp(join(tmpdir(), "gateway-test-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "keys"));
  await writeFile(join(folder, "keys", "pool.txt"), options.keyFile ?? keyFileOf(options));
  const config = configFor(folder, options.upstream ?? emulator.url, options.flags ?? {});
  const log = new TestLog();
  const running = { gateway: await startGateway(config, ENTRIES, log.logger) };
  cleanup.defer(() => running.gateway[Symbol.asyncDispose]());
  const held = cleanup.move();
  return {
    emulator,
    get gateway() {
      return running.gateway;
    },
    get url() {
      return running.gateway.url;
    },
    folder,
    config,
    logLines: log.lines,
    requestLogged: (predicate = () => true) => log.request(predicate),
    keyView: (secret) => {
      const view = running.gateway.scheduler.keyView(keyIdOf(config.database, secret), Date.now());
      if (view === undefined) throw new Error("the scheduler has no such key");
      return view;
    },
    endsInBalance: async () => {
      const { gateway } = running;
      const how = await gateway.stop();
      const { uses, inFlight } = gateway.scheduler.summary(Date.now());
      gateway.scheduler.checkInvariants();
      if (how !== "drained" || inFlight > 0 || uses.lost > 0) {
        throw new Error(`${how} with ${inFlight} uses in flight: ${JSON.stringify(uses)}`);
      }
    },
    restart: async () => {
      await running.gateway.stop();
      running.gateway = await startGateway(config, ENTRIES, log.logger);
    },
    start: async () => {
      running.gateway = await startGateway(config, ENTRIES, log.logger);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

const ENTRIES = {
  worker: new URL("../../src/worker/main.ts", import.meta.url),
  prober: new URL("../../src/prober/main.ts", import.meta.url),
};

/**
 * The configuration of a test gateway unless the flags say otherwise: two workers, a free port, no health tests, and no
 * limits for anonymous callers, who are what most tests ask as.
 */
export function configFor(
  folder: string,
  upstream: string,
  flags: NonNullable<PoolOptions["flags"]>,
): GatewayConfig {
  const argv = {
    "keys-dir": join(folder, "keys"),
    database: join(folder, "gateway.db"),
    "status-file": join(folder, "status.txt"),
    upstream,
    port: 0,
    workers: 2,
    // Tests of keys would be counted among the calls; who wants them says so.
    probe: "off",
    "ip-per-minute": 0,
    "ip-per-hour": 0,
    "breaker-low": "0",
    "breaker-high": "0",
    ...flags,
  };
  // A slip in a flag's name would test the default.
  refuseUnknownFlags(
    argv,
    OPTIONS.map(({ flag }) => flag),
    "gemini-gateway serve",
  );
  return resolveConfig({ argv, env: {}, readFile: () => "", cores: 2 }).config;
}

/** Asks the database, which is the one to number keys. */
function keyIdOf(file: string, secret: string): number {
  const database = new Database(file, { readonly: true });
  try {
    const row = database
      .prepare<[string], { id: number }>("SELECT id FROM keys WHERE secret = ?")
      .get(secret);
    return row?.id ?? 0;
  } finally {
    database.close();
  }
}

function keyFileOf({ projects }: PoolOptions): string {
  if (projects === undefined)
    return "# project: alpha\ntest-key-1\ntest-key-2\n# project: beta\ntest-key-3\n";
  return projects.map(({ name, keys }) => `# project: ${name}\n${keys.join("\n")}\n`).join("");
}

/** Keeps log lines and lets a test wait for one. */
class TestLog {
  readonly lines: string[] = [];
  readonly logger: Logger;
  readonly #waiting = new Set<() => void>();

  constructor() {
    const write = (line: string): void => {
      this.lines.push(line);
      for (const look of this.#waiting) look();
    };
    this.logger = pino({ level: "trace", base: null }, { write });
  }

  async request(predicate: (row: LoggedRequest) => boolean): Promise<LoggedRequest> {
    const { promise, resolve, reject } = Promise.withResolvers<LoggedRequest>();
    let seen = 0;
    const look = (): void => {
      for (; seen < this.lines.length; seen += 1) {
        const row = JSON.parse(this.lines[seen] ?? "{}") as LoggedRequest & { msg: string };
        if (row.msg === "request" && predicate(row)) resolve(row);
      }
    };
    const timer = setTimeout(
      () => reject(new Error(`no such request was logged:\n${this.lines.join("")}`)),
      WAIT_MS,
    );
    this.#waiting.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(look);
    });
  }
}
