/** Figures as text, and tables of them for the terminal. Pure. */
import type { Measurement } from "../result.ts";
import type { Figure } from "../statistics.ts";
import type { Verdict } from "./targets.ts";
import { unitBehind } from "./units.ts";

/** A table in any form: columns with their heads, cells as text. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns from the left that hold words. */
  readonly wordColumns: number;
}

/** The rows of a measurement; metrics that no row has are left out. */
export function tableOf(measurement: Measurement): Table {
  const metrics = measurement.metrics.filter(({ id }) => measurement.rows.some((row) => id in row.figures));
  return {
    head: [
      "case",
      measurement.subject ?? "contender",
      ...metrics.map(({ title, unit }) => (unit === "" ? title : `${title}, ${unit}`)),
    ],
    rows: measurement.rows.map((row) => [
      row.case,
      row.contender,
      ...metrics.map(({ id, digits }) => figureText(row.figures[id], digits)),
    ]),
    wordColumns: 2,
  };
}

export function tableOfVerdicts(verdicts: readonly Verdict[]): Table {
  return {
    head: ["target", "stated", "verdict", "measured"],
    rows: verdicts.map((verdict) => [
      verdict.title,
      verdict.target,
      outcomeText(verdict),
      figureText(verdict.figure, verdict.digits, verdict.unit),
    ]),
    wordColumns: 3,
  };
}

/** Columns as wide as their widest cell: words to the left, figures to the right. */
export function terminalTable({ head, rows, wordColumns }: Table): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const padded = (cell: string, column: number): string =>
    column < wordColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return lines.map((line) => line.map(padded).join("  ").trimEnd()).join("\n");
}

/** `45.2 (44.1–47.0)`: the median and, with several rounds, the spread. "-" for what was not measured. */
export function figureText(figure: Figure | undefined, digits: number, unit = ""): string {
  if (figure === undefined) return "-";
  const median = `${numberText(figure.median, digits)}${unitBehind(unit)}`;
  if (figure.rounds.length === 1) return median;
  return `${median} (${numberText(figure.min, digits)}–${numberText(figure.max, digits)})`;
}

/** With a comma between thousands: reports are read in English. */
export function numberText(value: number, digits: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function outcomeText({ outcome, missedBy }: Verdict): string {
  return missedBy === undefined ? outcome : `missed by ${numberText(missedBy * 100, 0)} %`;
}
