/**
 * Measurement 4: whether the number of keys costs anything: start, memory, synchronisation, requests, and the longest
 * turn of the primary, during which no worker would get a key from it.
 */
import { join } from "node:path";
import { type Bench, endAll, Field, turnOf } from "../bench.ts";
import { type GatewayOptions, type RunningGateway, startGateway, writeKeys } from "../contenders/gateway.ts";
import { gatewayPrograms } from "../entrants.ts";
import { type Pinning, pinningOfOne } from "../pinning.ts";
import { meter, per } from "../processes/cpu-meter.ts";
import { askLoopTurns, probeSetup } from "../processes/loop-turns-file.ts";
import { readResidentBytes } from "../processes/proc-files.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import { benchKeys, QUESTION, UNARY_MODEL, UNARY_PATH } from "../workload.ts";

const MB = 1024 * 1024;
/** Starts take seconds with many keys, and vary little. */
const START_ROUNDS_MAX = 3;

const METRICS: readonly Metric[] = [
  { id: "cold", title: "ready, new database", unit: "ms", better: "lower", digits: 0 },
  { id: "warm", title: "ready, warm database", unit: "ms", better: "lower", digits: 0 },
  { id: "sync", title: "keys synchronised", unit: "ms", better: "lower", digits: 0 },
  { id: "memory", title: "memory at rest", unit: "MB", better: "lower", digits: 0 },
  { id: "rate", title: "requests/s", unit: "", better: "higher", digits: 0 },
  { id: "cpu", title: "CPU per request", unit: "µs", better: "lower", digits: 1 },
  { id: "syncTurn", title: "longest turn, sync", unit: "ms", better: "lower", digits: 1 },
  { id: "syncTurnCpu", title: "of it CPU", unit: "ms", better: "lower", digits: 1 },
  { id: "loadTurn", title: "longest turn, load", unit: "ms", better: "lower", digits: 1 },
  { id: "loadTurnCpu", title: "of it CPU", unit: "ms", better: "lower", digits: 1 },
];

export function keysCase(keys: number): string {
  return `${keys.toLocaleString("en")} ${keys === 1 ? "key" : "keys"}`;
}

export async function measurePoolSize(bench: Bench): Promise<Measurement> {
  const { plan, machine } = bench;
  const recorder = new Recorder();
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const allKeys = benchKeys(Math.max(...plan.poolSizes));
  await using field = await Field.open(bench, pinning, {
    upstream: { minimal: true, models: [UNARY_MODEL], projects: [{ name: "bench", keys: allKeys }] },
    trialPath: UNARY_PATH,
    trialBody: QUESTION,
  });
  const pools = plan.poolSizes.flatMap((size) =>
    gatewayPrograms(bench).map(
      (gateway) => new Pool({ bench, field, pinning, keys: allKeys.slice(0, size), ...gateway }),
    ),
  );
  for (let round = 0; round < Math.min(plan.rounds, START_ROUNDS_MAX); round += 1) {
    for (const pool of pools) recorder.record(pool.name, pool.caseName, await pool.measureStart());
    for (const pool of pools) recorder.record(pool.name, pool.caseName, await pool.measureTurns());
  }
  await measureLoad(bench, pools, recorder);
  return {
    id: "pool-size",
    title: "Pool size",
    method:
      "One worker. Ready: from the start of the process until /readyz says yes; new as after an installation, when Node has no compiled code yet either, and warm as after a restart. Synchronised: from a key file's appearance until all its keys are stored. Turns: of the primary's event loop, watched from inside in a process of its own.",
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [pinning.sentence],
  };
}

async function measureLoad(bench: Bench, pools: readonly Pool[], recorder: Recorder): Promise<void> {
  const { plan } = bench;
  const running: { pool: Pool; gateway: RunningGateway }[] = [];
  for (const pool of pools) running.push({ pool, gateway: await pool.start() });
  for (const { pool, gateway } of running) await pool.load(gateway, plan.warmUpMs);
  for (let round = 0; round < plan.rounds; round += 1) {
    bench.say(`  requests, round ${round + 1} of ${plan.rounds}`);
    for (const { pool, gateway } of turnOf(running, round)) {
      recorder.record(pool.name, pool.caseName, await pool.load(gateway, plan.roundMs));
    }
  }
  await endAll(running.map(({ gateway }) => gateway));
}

type Values = Record<string, number | undefined>;

interface PoolOptions {
  readonly bench: Bench;
  readonly field: Field;
  readonly pinning: Pinning;
  readonly keys: readonly string[];
  readonly name: string;
  readonly program: string;
}

/** Gateways of one revision with one number of keys. */
class Pool {
  readonly name: string;
  readonly caseName: string;
  readonly #options: PoolOptions;

  constructor(options: PoolOptions) {
    this.name = options.name;
    this.caseName = keysCase(options.keys.length);
    this.#options = options;
  }

  /** Starts on a new database, and once more on the one that this left. */
  async measureStart(): Promise<Values> {
    this.#options.bench.say(`  start with ${this.caseName}: ${this.name}`);
    const around = this.#surroundings();
    const cold = await startGateway(around, this.#gatewayOptions());
    await cold[Symbol.asyncDispose]();
    const warm = await startGateway(around, this.#gatewayOptions());
    const restingBytes = readResidentBytes(warm.pid);
    await warm[Symbol.asyncDispose]();
    return { cold: cold.readyMs, warm: warm.readyMs, memory: per(restingBytes, MB) };
  }

  /** Starts without keys, lets them appear, then loads: with the probe inside. */
  async measureTurns(): Promise<Values> {
    this.#options.bench.say(`  turns of the primary with ${this.caseName}: ${this.name}`);
    const around = this.#surroundings();
    const answerPath = join(around.folder, "turns.json");
    await using gateway = await startGateway(around, {
      ...this.#gatewayOptions(),
      keys: [],
      ...probeSetup(answerPath),
    });
    await askLoopTurns(gateway.pid, answerPath);
    const startMs = performance.now();
    writeKeys(around.folder, this.#options.keys);
    await gateway.logged("key files synchronised", ({ added }) => added === this.#options.keys.length);
    const sync = performance.now() - startMs;
    const inSync = await askLoopTurns(gateway.pid, answerPath);
    await this.load(gateway, this.#options.bench.plan.roundMs);
    const inLoad = await askLoopTurns(gateway.pid, answerPath);
    return {
      sync,
      syncTurn: inSync.wallMs,
      syncTurnCpu: inSync.cpuMs,
      loadTurn: inLoad.wallMs,
      loadTurnCpu: inLoad.cpuMs,
    };
  }

  start(): Promise<RunningGateway> {
    return startGateway(this.#surroundings(), this.#gatewayOptions());
  }

  async load(gateway: RunningGateway, durationMs: number): Promise<Values> {
    const order = {
      target: gateway.target(UNARY_PATH, QUESTION),
      connections: this.#options.bench.plan.connections,
      durationMs,
    };
    const { result, cpuUs } = await meter(gateway, () => this.#options.field.load.run("saturate", order));
    return { rate: (result.served * 1000) / result.durationMs, cpu: per(cpuUs, result.served) };
  }

  #surroundings() {
    return this.#options.field.surroundings(this.#options.pinning.contender);
  }

  #gatewayOptions(): GatewayOptions {
    const { name, program, keys } = this.#options;
    return { name, program, workers: 1, keys };
  }
}
