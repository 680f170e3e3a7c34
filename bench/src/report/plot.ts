/** One metric of a measurement as horizontal bars in SVG: the median as a bar, the spread as a line through its end. Pure. */
import type { Metric, Row } from "../result.ts";
import { numberText } from "./table.ts";

const WIDTH = 760;
const LABEL_WIDTH = 270;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 24;
const BAR_HEIGHT = 14;

/** "" when no row has the metric, or there is nothing to compare. */
export function plotOf(metric: Metric, rows: readonly Row[]): string {
  const shown = rows.flatMap((row) => {
    const figure = row.figures[metric.id];
    return figure === undefined
      ? []
      : [{ label: `${row.case} · ${row.contender}`, contender: row.contender, figure }];
  });
  const largest = Math.max(0, ...shown.map(({ figure }) => figure.max));
  if (shown.length < 2 || largest === 0) return "";
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / largest;
  const bars = shown.map(({ label, contender, figure }, index) => {
    const middle = index * ROW_HEIGHT + ROW_HEIGHT / 2;
    const at = (value: number): string => (LABEL_WIDTH + Math.max(0, value) * scale).toFixed(1);
    const name = contender.startsWith("gateway") ? "own" : "peer";
    return [
      `<text class="label" x="${LABEL_WIDTH - 8}" y="${middle}">${escapeHtml(label)}</text>`,
      `<rect class="${name}" x="${LABEL_WIDTH}" y="${middle - BAR_HEIGHT / 2}" height="${BAR_HEIGHT}" width="${(Math.max(0, figure.median) * scale).toFixed(1)}"/>`,
      `<line x1="${at(figure.min)}" x2="${at(figure.max)}" y1="${middle}" y2="${middle}"/>`,
      `<text x="${WIDTH - VALUE_WIDTH + 8}" y="${middle}">${numberText(figure.median, metric.digits)}</text>`,
    ].join("");
  });
  const height = shown.length * ROW_HEIGHT;
  const title = `${metric.title}${metric.unit === "" ? "" : `, ${metric.unit}`}${hint(metric)}`;
  return `<figure><figcaption>${escapeHtml(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img" aria-label="${escapeHtml(title)}">${bars.join("")}</svg></figure>`;
}

/** Text as it may stand in HTML and in its attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function hint({ better }: Metric): string {
  return better === "neither" ? "" : ` (${better} is better)`;
}
