/** Two revisions held against each other: every figure that both have, and how they relate. Pure. */
import { againstName, GATEWAY } from "../entrants.ts";
import type { Measurement, Metric, Row } from "../result.ts";
import { type Figure, figureOf, ratioOf } from "../statistics.ts";
import { figureText, type Table } from "./table.ts";

/** Below this a difference is told as none: rounds of the same program differ by as much. */
const NOISE_SHARE = 0.02;
const RATIO_DIGITS = 3;

/**
 * A line for each figure of the working tree that the other revision has too. A verdict is given only where all rounds
 * agree: the whole spread of the ratio lies on one side of 1.
 */
export function comparisonTable(measurements: readonly Measurement[], revision: string): Table {
  const rows = measurements.flatMap(({ title, metrics, rows: measured }) =>
    measured
      .filter(({ contender }) => contender === GATEWAY)
      .flatMap((own) => {
        const other = measured.find(
          (row) => row.contender === againstName(revision) && row.case === own.case,
        );
        return other === undefined
          ? []
          : metrics.flatMap((metric) => linesOf(`${title}, ${own.case}`, metric, own, other));
      }),
  );
  return { head: ["case", "figure", "verdict", "now", `at ${revision}`, "ratio"], rows, wordColumns: 3 };
}

function linesOf(caseName: string, metric: Metric, own: Row, other: Row): string[][] {
  const [now, before] = [own.figures[metric.id], other.figures[metric.id]];
  if (metric.better === "neither" || now === undefined || before === undefined) return [];
  const ratio = ratioOf(now, before);
  const texts = [figureText(now, metric.digits), figureText(before, metric.digits)];
  const title = metric.unit === "" ? metric.title : `${metric.title}, ${metric.unit}`;
  const difference = ratio ?? differenceAsRatio(now, before);
  return [[caseName, title, verdictOn(metric, difference), ...texts, figureText(ratio, RATIO_DIGITS)]];
}

/** Where nothing can be divided by, as with failures of which there were none: only whether it is more or less. */
function differenceAsRatio(now: Figure, before: Figure): Figure {
  const sign = Math.sign(now.median - before.median);
  return figureOf([1 + sign]);
}

function verdictOn({ better }: Metric, ratio: Figure): string {
  if (Math.abs(ratio.median - 1) < NOISE_SHARE) return "same";
  if (ratio.min < 1 && ratio.max > 1) return "unclear";
  return ratio.median > 1 === (better === "higher") ? "better" : "worse";
}
