/** Sleeps and says so, again and again: what `Ticker` runs. A thread, for only a thread may sleep for less than a timer. */
import { workerData } from "node:worker_threads";
import { IS_ENDED, IS_TOLD, type TickerStart } from "./ticker.ts";

const { flags, port, periodMs } = workerData as TickerStart;

while (Atomics.wait(flags, IS_ENDED, 0, periodMs) === "timed-out") {
  // One that was not heard yet is enough: a thread that is kept from its core finds one tick, not thousands.
  if (Atomics.exchange(flags, IS_TOLD, 1) === 0) port.postMessage(undefined);
}
port.close();
