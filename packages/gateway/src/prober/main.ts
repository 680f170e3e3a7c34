/**
 * Entry of a prober thread of the piscina pool. It tests keys; it never opens the database, decides nothing about a key,
 * and says nothing of one but its outcome.
 */
import { workerData } from "piscina";
import type { ProbeBatch, ProbeReport, ProberStart } from "../probe-protocol.ts";
import { Prober } from "./prober.ts";

const prober = new Prober(workerData as ProberStart);

/**
 * Runs one batch; each test has a result, whatever happens to it.
 * @public called by the pool, which names it (`PROBER_FUNCTION`)
 */
export function runBatch(batch: ProbeBatch): Promise<ProbeReport> {
  return prober.run(batch);
}
