/** The findings as one HTML page that needs nothing else: no script, no file, no network. Pure. */
import { machineSentence } from "../machine.ts";
import type { Measurement } from "../result.ts";
import { comparisonTable } from "./comparison.ts";
import { escapeHtml, plotOf } from "./plot.ts";
import type { Report } from "./report.ts";
import { type Table, tableOf, tableOfVerdicts } from "./table.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --own: #3568c0; --peer: #9a9a9a; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th.word, td.word { text-align: left; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }
svg { max-width: 100%; height: auto; font-size: 12px; fill: currentColor; }
svg text { dominant-baseline: central; } svg text.label { text-anchor: end; }
svg rect.own { fill: var(--own); } svg rect.peer { fill: var(--peer); } svg line { stroke: currentColor; }
`;

export function htmlReport(report: Report): string {
  const heading = `Gemini Gateway bench, ${report.startedAt.slice(0, 16).replace("T", " ")} UTC`;
  const quick = report.isQuick
    ? paragraph("A quick run: it shows that everything works. Its times say nothing.")
    : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(heading)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(heading)}</h1>
${paragraph(`Revision ${report.revision}${report.against === undefined ? "" : ` against ${report.against}`}. ${machineSentence(report.machine)}.`)}
${paragraph(`Medians of ${report.plan.rounds} rounds with their spread. Each contender, the load and the upstream are processes of their own on one machine.`)}
${quick}${[...report.faults.map((fault) => `Not in order: ${fault}`), ...report.notes].map(paragraph).join("\n")}
${report.against === undefined ? "" : `<h2>Against ${escapeHtml(report.against)}</h2>${htmlTable(comparisonTable(report.measurements, report.against))}`}
<h2>Targets</h2>
${htmlTable(tableOfVerdicts(report.verdicts))}
${report.measurements.map(section).join("\n")}
</body></html>
`;
}

function section(measurement: Measurement): string {
  const plots = measurement.metrics.map((metric) => plotOf(metric, measurement.rows));
  return [
    `<h2>${escapeHtml(measurement.title)}</h2>`,
    paragraph(measurement.method),
    htmlTable(tableOf(measurement)),
    ...measurement.notes.map(paragraph),
    ...plots,
  ].join("\n");
}

function htmlTable({ head, rows, wordColumns }: Table): string {
  const row = (cells: readonly string[], tag: "th" | "td"): string => {
    const tagged = cells.map(
      (cell, column) => `<${tag}${column < wordColumns ? ' class="word"' : ""}>${escapeHtml(cell)}</${tag}>`,
    );
    return `<tr>${tagged.join("")}</tr>`;
  };
  return `<table>${row(head, "th")}${rows.map((cells) => row(cells, "td")).join("")}</table>`;
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}
