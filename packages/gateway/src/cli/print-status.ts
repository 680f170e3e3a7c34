/** Puts the status of the gateway into words. Pure. It must never be given a key. */
import type { KeyTotals, ModelStatus, RequestTotals, RunningStatus, StatusReport } from "../control/types.ts";
import { formatSpan, formatUntil } from "./span.ts";
import { cell, formatTable } from "./table.ts";

/** Outcomes and states listed in one line; a longer list has lost its meaning. */
const LISTED_MAX = 20;

/** A few lines for people; `nowMs` in milliseconds since the epoch. */
export function statusText(report: StatusReport, nowMs: number): string {
  const parts = report.running ? runningParts(report) : ["No gateway is running on this database."];
  parts.push(keysLine(report.keys));
  if (report.requests !== undefined) parts.push(requestsLine(report.requests, nowMs));
  if (report.running && report.models.length > 0) parts.push("", modelTable(report.models, nowMs));
  return parts.join("\n");
}

function runningParts(report: RunningStatus): string[] {
  const what = report.draining ? "Draining" : "Serving";
  const workers = report.workers.map(({ id, state, inFlight }) => `${id} ${cell(state)} (${inFlight})`);
  return [
    `${what} on ${cell(report.baseUrl)} for ${formatSpan(report.uptimeMs)} (process ${report.pid}, version ${cell(report.version)})`,
    `Workers:  ${report.workers.length}, requests in flight ${report.inFlight}`,
    ...(workers.length === 0 ? [] : [`          ${workers.slice(0, LISTED_MAX).join(", ")}`]),
  ];
}

function keysLine({ total, byState }: KeyTotals): string {
  return `Keys:     ${total}${listed(byState)}`;
}

function requestsLine(requests: RequestTotals, nowMs: number): string {
  return [
    `Requests: ${requests.total} in the last ${formatSpan(nowMs - requests.sinceMs)}${listed(requests.byOutcome)}`,
    `          ${requests.attempts} upstream calls, ${requests.promptTokens} prompt tokens, ${requests.outputTokens} output tokens`,
  ].join("\n");
}

function modelTable(models: readonly ModelStatus[], nowMs: number): string {
  return formatTable(
    ["MODEL", "READY", "RESTING", "NEXT BACK"],
    models.map((model) => [
      model.model,
      String(model.ready),
      String(model.resting),
      formatUntil(model.retryAtMs, nowMs),
    ]),
  );
}

/** `: 5 ready, 2 resting`, the most frequent first; "" for none. */
function listed(counts: Readonly<Record<string, number>>): string {
  const words = Object.entries(counts)
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, LISTED_MAX)
    .map(([name, amount]) => `${amount} ${cell(name)}`);
  return words.length === 0 ? "" : `: ${words.join(", ")}`;
}
