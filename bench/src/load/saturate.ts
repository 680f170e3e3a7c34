/** The load of autocannon: every connection sends its next request when the last is answered. Load process. */
import autocannon from "autocannon";
import type { LoadJobs, SaturationResult } from "./protocol.ts";

/** autocannon notices the end of its time at a sample: short ones, so that a short round is not twice as long. */
const SAMPLE_MS = 100;
const TIMEOUT_SECONDS = 10;

export async function saturate(order: LoadJobs["saturate"]["order"]): Promise<SaturationResult> {
  const { target, connections, durationMs } = order;
  const startMs = performance.now();
  const result = await autocannon({
    url: `${target.origin}${target.path}`,
    method: "POST",
    headers: target.headers,
    body: target.body,
    connections,
    duration: durationMs / 1000,
    sampleInt: SAMPLE_MS,
    timeout: TIMEOUT_SECONDS,
  });
  return {
    served: result["2xx"],
    failed: result.non2xx + result.errors,
    durationMs: performance.now() - startMs,
  };
}
