/**
 * What the bench asks of its load generator, a process of its own, and what it answers. Plain data. One order at a time;
 * each is answered once.
 */
import type { Latencies } from "../statistics.ts";

/** Where requests go. Loopback only. */
export interface Target {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Connections of a steady load: requests that find all of them waiting for an answer are not sent, and counted so. */
export const CONNECTIONS_MAX = 1_000;

/** Orders and their answers, by name. */
export interface LoadJobs {
  /** autocannon: as many requests as the connections carry, one after the other on each. */
  readonly saturate: {
    readonly order: { readonly target: Target; readonly connections: number; readonly durationMs: number };
    readonly result: SaturationResult;
  };
  /** The same load from a generator that costs less, so that the contender is what limits the rate. */
  readonly keepBusy: {
    readonly order: { readonly target: Target; readonly connections: number; readonly durationMs: number };
    readonly result: SaturationResult;
  };
  /** Requests at a steady rate, sent whether or not earlier ones have been answered. */
  readonly pace: {
    readonly order: {
      readonly target: Target;
      readonly ratePerSecond: number;
      readonly durationMs: number;
      /**
       * The same load before that, of which only failures are counted: a process that has had a pause of many seconds is not yet
       * what it is at this rate, and in a comparison every contender has pauses while the others have their turns.
       */
      readonly leadInMs: number;
      /**
       * Connections that have carried a request before the clock starts. One opened in a burst, in the middle of the load,
       * can find the contender's queue of new connections full, and then waits a whole second for the kernel's next try.
       */
      readonly connectionsReady: number;
      /** What is timed: the whole answer, or the first event of a stream. */
      readonly until: "end" | "first-event";
    };
    readonly result: PaceResult;
  };
  /** Opens streams; answered when each has brought its first event. */
  readonly openStreams: {
    readonly order: { readonly target: Target; readonly streams: number };
    readonly result: { readonly open: number; readonly failed: number };
  };
  /** Events received until now, and streams that have ended. */
  readonly countEvents: {
    readonly order: object;
    readonly result: { readonly events: number; readonly ended: number };
  };
  /** Answered when every stream has ended. */
  readonly finishStreams: { readonly order: object; readonly result: StreamsResult };
  /** Streams opened and ended all the time. */
  readonly churn: {
    readonly order: {
      readonly target: Target;
      /** At once. */
      readonly streams: number;
      readonly durationMs: number;
      /** One stream in so many is left by the client after its first event. */
      readonly leaveEvery: number;
    };
    readonly result: ChurnResult;
  };
  /** Large bodies: a number of requests, so many at once. */
  readonly exchangeBodies: {
    readonly order: {
      readonly target: Target;
      /** Request bytes beside the body of the target: padding inside its JSON. */
      readonly paddingBytes: number;
      readonly requests: number;
      readonly inFlight: number;
    };
    readonly result: BodiesResult;
  };
}

export interface SaturationResult {
  /** Answers with a status from 200 to 299. */
  readonly served: number;
  /** All others, time-outs and broken connections. */
  readonly failed: number;
  readonly durationMs: number;
}

export interface PaceResult {
  readonly served: number;
  readonly failed: number;
  /** Requests that fell due when a thousand others waited for their answer: the contender cannot keep the rate. */
  readonly unsent: number;
  /** Milliseconds. */
  readonly latencies: Latencies;
  /** The longest the generator itself was behind its plan, milliseconds: large values spoil the figures. */
  readonly behindMs: number;
}

export interface StreamsResult {
  readonly events: number;
  /** Streams that came to their orderly end. */
  readonly complete: number;
  readonly broken: number;
}

export interface ChurnResult {
  readonly begun: number;
  readonly complete: number;
  /** By the client, as ordered. */
  readonly left: number;
  /** Connections that broke in the middle of a stream, or were never there. */
  readonly broken: number;
  /** Whole answers that were not served. */
  readonly refused: number;
}

export interface BodiesResult {
  readonly served: number;
  readonly failed: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly durationMs: number;
}

export type LoadJobName = keyof LoadJobs;

export interface LoadOrder<Name extends LoadJobName = LoadJobName> {
  readonly name: Name;
  readonly order: LoadJobs[Name]["order"];
}

export type LoadAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly message: string };
