/**
 * Loaded into the gateway with `node --import`: a CPU profile of each thread from one SIGUSR2 to the next, written to a
 * file for each thread, named by BENCH_PROFILE. Runs in the gateway's threads.
 */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { onSignal } from "./threads-of-gateway.ts";

/** Between two samples, µs: finer ones cost more than they tell. */
const INTERVAL_US = 250;

function toggler(path: string): (thread: string) => void {
  let session: Session | undefined;
  return (thread) => {
    const running = session;
    if (running === undefined) {
      session = new Session();
      session.connect();
      session.post("Profiler.enable");
      session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
      session.post("Profiler.start");
      return;
    }
    session = undefined;
    running.post("Profiler.stop", (_error, result) => {
      writeFileSync(`${path}.${thread}.cpuprofile`, JSON.stringify(result.profile));
      running.disconnect();
    });
  };
}

const path = process.env["BENCH_PROFILE"];
if (path !== undefined) onSignal(import.meta.url, toggler(path));
