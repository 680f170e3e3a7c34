/** How much is measured: the sizes and times of a full run and of a quick one. Pure data. */
import { CONNECTIONS_MAX } from "./load/protocol.ts";

export interface StreamSize {
  readonly streams: number;
  /** Milliseconds between the events of one stream: 50 for 20 a second. */
  readonly intervalMs: number;
}

export interface Plan {
  /** Rounds of every comparison; its contenders take turns in each. */
  readonly rounds: number;
  /** Load before the first round, so that code is compiled and connections are open. */
  readonly warmUpMs: number;
  /** Length of one contender's part of a round. */
  readonly roundMs: number;
  /** Steady load of which nothing is counted, before each contender's part of a round of latencies. */
  readonly leadInMs: number;
  /** Connections of the saturating load. */
  readonly connections: number;
  /** Connections of a steady load that are opened before its clock starts. */
  readonly connectionsReady: number;
  /** Numbers of workers compared with one another. */
  readonly workers: readonly number[];
  /**
   * Connections of the load that compares them, whatever their number: the widest gateway is to have as many for each
   * worker as one worker has of the saturating load, for with a few each a thread is woken for every single request.
   */
  readonly workersConnections: number;
  readonly streams: readonly StreamSize[];
  /** Short streams before memory is read: until the heap has the size that load gives it, whoever holds streams then. */
  readonly streamWarmUpMs: number;
  /** Time in which CPU and events of the held streams are counted. */
  readonly streamWindowMs: number;
  /** Numbers of keys compared with one another. */
  readonly poolSizes: readonly number[];
  readonly storm: {
    readonly keys: number;
    readonly exhaustedShare: number;
    readonly overloadedShare: number;
    readonly ratePerSecond: number;
  };
  readonly bodies: { readonly bytes: number; readonly inFlight: number; readonly requests: number };
  readonly soak: {
    /** Unary requests, or as many as half of the time allows. */
    readonly requests: number;
    /** Of both phases together. */
    readonly minutes: number;
    /** Held at once in the other half. */
    readonly streams: number;
  };
  /** The whole run, without the soak; past it the bench gives up, which is a failure. */
  readonly limitMs: number;
}

const MB = 1024 * 1024;

/** Three quarters of an hour. The event rates keep a contender of one thread below half of its core. */
export const FULL_PLAN: Plan = {
  rounds: 5,
  warmUpMs: 3_000,
  roundMs: 4_000,
  leadInMs: 2_000,
  connections: 64,
  // All that the generator ever uses: none is opened while the clock runs.
  connectionsReady: CONNECTIONS_MAX,
  workers: [1, 2, 4, 8],
  workersConnections: 512,
  streams: [
    { streams: 500, intervalMs: 50 },
    { streams: 2_000, intervalMs: 250 },
    { streams: 10_000, intervalMs: 1_250 },
  ],
  streamWarmUpMs: 5_000,
  streamWindowMs: 5_000,
  poolSizes: [10, 1_000, 100_000],
  storm: { keys: 1_000, exhaustedShare: 0.99, overloadedShare: 0.05, ratePerSecond: 200 },
  bodies: { bytes: 20 * MB, inFlight: 32, requests: 64 },
  soak: { requests: 1_000_000, minutes: 60, streams: 300 },
  limitMs: 60 * 60_000,
};

/**
 * Under a minute and a half on a machine of two cores that has time for it: shows that everything works, not how fast. Its
 * limit is far above that, for a busy machine is no fault.
 */
export const QUICK_PLAN: Plan = {
  rounds: 1,
  warmUpMs: 300,
  roundMs: 700,
  leadInMs: 100,
  connections: 16,
  connectionsReady: 50,
  workers: [1, 2],
  workersConnections: 32,
  streams: [{ streams: 100, intervalMs: 100 }],
  streamWarmUpMs: 200,
  streamWindowMs: 1_000,
  poolSizes: [10, 5_000],
  storm: { keys: 100, exhaustedShare: 0.99, overloadedShare: 0.05, ratePerSecond: 100 },
  bodies: { bytes: 20 * MB, inFlight: 4, requests: 8 },
  soak: { requests: 2_000, minutes: 0.5, streams: 20 },
  limitMs: 10 * 60_000,
};
