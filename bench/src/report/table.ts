/** The figures of a measurement as a table for the terminal. Pure. */
import type { Measurement, Metric, Row } from "../result.ts";
import type { Figure } from "../statistics.ts";

export function measurementTable(measurement: Measurement): string {
  const metrics = measurement.metrics.filter(({ id }) => measurement.rows.some((row) => id in row.figures));
  const head = [
    "case",
    "contender",
    ...metrics.map(({ title, unit }) => (unit === "" ? title : `${title}, ${unit}`)),
  ];
  const rows = measurement.rows.map((row) => [row.case, row.contender, ...cellsOf(row, metrics)]);
  return [
    measurement.title.toUpperCase(),
    measurement.method,
    "",
    alignedTable(head, rows),
    ...measurement.notes.map((note) => `  ${note}`),
  ].join("\n");
}

/** Columns as wide as their widest cell: the first two to the left, figures to the right. */
export function alignedTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? "").length)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `45.2 (44.1–47.0)`: the median and, with several rounds, the spread. "-" for what was not measured. */
export function figureText(figure: Figure | undefined, digits: number): string {
  if (figure === undefined) return "-";
  const median = numberText(figure.median, digits);
  if (figure.rounds.length === 1) return median;
  return `${median} (${numberText(figure.min, digits)}–${numberText(figure.max, digits)})`;
}

/** With a comma between thousands: reports are read in English. */
export function numberText(value: number, digits: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function cellsOf(row: Row, metrics: readonly Metric[]): string[] {
  return metrics.map(({ id, digits }) => figureText(row.figures[id], digits));
}
