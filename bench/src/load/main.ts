/**
 * The load generator: a process of its own, so that its time is never charged to the contender. Takes orders over the
 * channel to its parent and ends with it. It must only ever connect to loopback.
 */
import { churn } from "./churn.ts";
import { exchangeBodies } from "./exchange-bodies.ts";
import { keepBusy } from "./keep-busy.ts";
import { pace } from "./pace.ts";
import type { LoadAnswer, LoadJobName, LoadJobs, LoadOrder } from "./protocol.ts";
import { saturate } from "./saturate.ts";
import { StreamLoad } from "./streams.ts";

const streams = new StreamLoad();

const HANDLERS: { [Name in LoadJobName]: (order: LoadJobs[Name]["order"]) => unknown } = {
  saturate,
  keepBusy,
  pace,
  churn,
  exchangeBodies,
  openStreams: (order) => streams.open(order),
  countEvents: () => streams.countEvents(),
  finishStreams: () => streams.finish(),
};

async function obey({ name, order }: LoadOrder): Promise<LoadAnswer> {
  const handle = HANDLERS[name] as (order: unknown) => unknown;
  try {
    return { kind: "done", result: await handle(order) };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

process.on("message", (order: LoadOrder) => {
  void obey(order).then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit());
// Ctrl-C on the terminal reaches every process: the parent decides when this one ends.
process.on("SIGINT", () => {});
process.send?.({ kind: "ready" } satisfies LoadAnswer);
