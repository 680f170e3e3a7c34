/** What the bench prints of its findings. Pure. */
import type { Measurement } from "../result.ts";
import { comparisonTable } from "./comparison.ts";
import type { Report } from "./report.ts";
import { tableOf, tableOfVerdicts, terminalTable } from "./table.ts";

export function measurementText(measurement: Measurement): string {
  return [
    "",
    measurement.title.toUpperCase(),
    terminalTable(tableOf(measurement)),
    ...measurement.notes.map((note) => `  ${note}`),
    "",
  ].join("\n");
}

export function verdictsText({ verdicts, isQuick, notes, faults, against, measurements }: Report): string {
  const judged = isQuick
    ? ["This was a quick run: it shows that everything works. Its times say nothing."]
    : ["TARGETS", terminalTable(tableOfVerdicts(verdicts))];
  const compared =
    against === undefined
      ? []
      : ["AGAINST " + against, terminalTable(comparisonTable(measurements, against)), ""];
  const wrong = faults.length === 0 ? [] : ["", "NOT IN ORDER: the figures are worth nothing.", ...faults];
  return [...compared, ...judged, ...notes, ...wrong].join("\n");
}
