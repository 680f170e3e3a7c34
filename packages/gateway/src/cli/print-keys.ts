/** Puts lists of keys, and what a change of them did, into words. Pure. It must never be given a key. */
import type { AddKeysReport, KeyListRow, RemoveKeysReport } from "../control/types.ts";
import { formatAgo, formatUntil } from "./span.ts";
import { cell, formatTable } from "./table.ts";

const HEAD = ["FINGERPRINT", "PROJECT", "STATE", "SINCE", "BACK", "LENT", "FILE", "REASON"] as const;

/** Fingerprints and reasons listed after a change; `--json` gives all. */
const LISTED_MAX = 50;

/** The list of keys, with what to do when there is none. */
export function keyTable(rows: readonly KeyListRow[], nowMs: number): string {
  if (rows.length === 0) return "There is no key. Add some with `gemini-gateway keys add`.";
  return formatTable(
    HEAD,
    rows.map((row) => [
      row.fingerprint,
      row.project ?? "-",
      row.state,
      formatAgo(row.sinceMs, nowMs),
      formatUntil(row.retryAtMs, nowMs),
      row.inFlight === undefined ? "-" : String(row.inFlight),
      row.file ?? "-",
      row.reason ?? "-",
    ]),
  );
}

/** What `keys add` did. */
export function addReportText(report: AddKeysReport): string {
  const lines = [`${count(report.added.length, "key")} added to ${cell(report.file)}.`];
  if (report.alreadyThere > 0)
    lines.push(`${count(report.alreadyThere, "key")} stood in a key file already.`);
  lines.push(...bounded(report.added.map(cell), report.added.length));
  if (report.refusedCount > 0) {
    lines.push(`${count(report.refusedCount, "word")} refused:`);
    const reasons = report.refused.map(({ line, reason }) => `line ${line}: ${cell(reason)}`);
    lines.push(...bounded(reasons, report.refusedCount));
  }
  return lines.join("\n");
}

/** What `keys remove` did. */
export function removeReportText(report: RemoveKeysReport): string {
  const from = report.files.length === 0 ? "" : ` from ${report.files.map(cell).join(", ")}`;
  return [
    `${count(report.removed.length, "key")} removed${from}.`,
    ...report.unknown.map((fingerprint) => `No key file has ${cell(fingerprint)}.`),
    ...report.failed.map(({ file, problem }) => `${cell(file)} could not be changed: ${cell(problem)}`),
  ].join("\n");
}

/** The first lines of a list that has `total` of them. */
function bounded(texts: readonly string[], total: number): string[] {
  const listed = texts.slice(0, LISTED_MAX).map((text) => `  ${text}`);
  return listed.length < total ? [...listed, `  and ${total - listed.length} more`] : listed;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
