/** What must not happen in any run, however short and however busy the machine: failed requests, lost events. Pure. */
import { GATEWAY } from "../entrants.ts";
import type { Measurement } from "../result.ts";

/** Counts of a measurement that have to be 0 in every round, and how each is called. */
const ZERO_METRICS = { failed: "requests failed", lost: "events were lost" } as const;

/** A sentence for each row of a gateway in which something went wrong; peers may fail as they like. */
export function faultsIn(measurements: readonly Measurement[]): string[] {
  return measurements.flatMap(({ title, rows }) =>
    rows
      .filter(({ contender }) => contender.startsWith(GATEWAY))
      .flatMap((row) =>
        Object.entries(ZERO_METRICS).flatMap(([metric, what]) => {
          const worst = Math.max(0, ...(row.figures[metric]?.rounds ?? []).map(Math.abs));
          return worst === 0 ? [] : [`${title}, ${row.case}, ${row.contender}: ${worst} ${what}.`];
        }),
      ),
  );
}
