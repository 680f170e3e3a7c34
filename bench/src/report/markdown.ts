/** The findings as Markdown, for docs/performance.md. Pure. */
import { machineSentence } from "../machine.ts";
import { comparisonTable } from "./comparison.ts";
import type { Report } from "./report.ts";
import { type Table, tableOf, tableOfVerdicts } from "./table.ts";

export function markdownReport(report: Report): string {
  const minutes = Math.max(1, Math.round(report.durationMs / 60_000));
  const rounds = report.plan.rounds === 1 ? "one round" : `${report.plan.rounds} interleaved rounds`;
  const remarks = [...report.faults.map((fault) => `Not in order: ${fault}`), ...report.notes];
  return [
    `## ${report.startedAt.slice(0, 10)}, revision ${report.revision}`,
    `${machineSentence(report.machine)}. Median of ${rounds} with the spread in parentheses; ${minutes} min.`,
    ...(remarks.length === 0 ? [] : [remarks.map((remark) => `- ${remark}`).join("\n")]),
    ...(report.against === undefined
      ? []
      : [
          `### Against ${report.against}`,
          markdownTable(comparisonTable(report.measurements, report.against)),
        ]),
    "### Targets",
    markdownTable(tableOfVerdicts(report.verdicts)),
    ...report.measurements.flatMap((measurement) => [
      `### ${measurement.title}`,
      [measurement.method, ...measurement.notes].join(" "),
      markdownTable(tableOf(measurement)),
    ]),
    "",
  ].join("\n\n");
}

function markdownTable({ head, rows, wordColumns }: Table): string {
  const rule = head.map((_, column) => (column < wordColumns ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.map(escaped).join(" | ")} |`).join("\n");
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|");
}
