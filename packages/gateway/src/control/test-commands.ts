/**
 * `keys test`: asked of the running gateway or, when none runs, done by this process. Command line only.
 */
import { pino } from "pino";
import type { GatewayConfig } from "../config.ts";
import { testStandalone } from "../primary/probing/standalone.ts";
import { connectControl } from "./client.ts";
import type { TestLine, TestRequest } from "./key-desk-types.ts";

export interface TestGround {
  readonly config: GatewayConfig;
  /** Entry of a prober thread. */
  readonly entry: URL;
}

/** Lines as things happen; `ended` is the last, also when the signal aborts. Throws OperatorError. */
export async function* testKeys(
  { config, entry }: TestGround,
  request: TestRequest,
  signal: AbortSignal,
): AsyncGenerator<TestLine, void, void> {
  const gateway = await connectControl(config.database);
  if (gateway === undefined) {
    // What goes wrong is told by the results; a log on standard output would stand between them.
    yield* testStandalone({ config, entry, log: pino({ level: "silent" }) }, request, signal);
    return;
  }
  for await (const line of gateway.follow("/keys/test", request)) {
    // Leaving the loop closes the connection, which ends the run.
    if (signal.aborted) return;
    yield line as TestLine;
  }
}
