/** Puts the status of the gateway into words, in lines that fit a terminal. Pure. It must never be given a key. */
import type {
  DatabaseStatus,
  ModelStatus,
  Percentiles,
  ProcessStatus,
  RequestTotals,
  RunningStatus,
  StatusReport,
  TrafficStatus,
} from "../control/types.ts";
import { shortTime } from "./short-time.ts";
import { formatSpan, formatUntil } from "./span.ts";
import { cell, formatTable } from "./table.ts";

/** Longest line, characters: what every terminal has. */
const WIDTH = 80;
/** What begins a line that goes on with the one before. */
const INDENT = " ".repeat(10);
/** Outcomes and states listed; a longer list has lost its meaning. */
const LISTED_MAX = 20;
/** Models listed; `--json` gives more. */
const MODELS_MAX = 30;
const MODEL_WIDTH_MIN = 10;
/** Blanks between columns. */
const GAP = 2;
const MEBIBYTE = 1024 * 1024;

const DATABASE_TEXTS: Readonly<Record<DatabaseStatus["state"], string>> = {
  ok: "is written again",
  failing: "CANNOT BE WRITTEN; serving goes on from memory",
  "in-memory": "NO FILE; serving goes on from memory",
};

/** Some lines for people; `nowMs` in milliseconds since the epoch. */
export function statusText(report: StatusReport, nowMs: number): string {
  const lines = report.running ? headLines(report) : ["No gateway is running on this database."];
  lines.push(...line("Keys", String(report.keys.total), counted(report.keys.byState)));
  if (report.running) lines.push(...stateLines(report));
  if (report.requests !== undefined) lines.push(...requestLines(report.requests, nowMs));
  if (report.running) lines.push(...recentLines(report.recent), ...modelLines(report.models, nowMs));
  return lines.join("\n");
}

function headLines(report: RunningStatus): string[] {
  const { workers, process, inFlight, waiting, liveSessions } = report;
  const starting = workers.filter(({ state }) => state !== "serving").length;
  const loads = workers.map(({ id, inFlight: load }) => `${id} (${load})`);
  return [
    cut(`${report.draining ? "Draining" : "Serving"} on ${cell(report.baseUrl)}`, WIDTH),
    `${INDENT}for ${formatSpan(report.uptimeMs)}, process ${report.pid}, version ${cell(report.version)}`,
    ...line("Workers", String(workers.length), [
      ...(starting > 0 ? [`${starting} starting`] : []),
      ...(process.workersReplaced > 0 ? [`${process.workersReplaced} replaced since the start`] : []),
      `${inFlight} requests in flight`,
      `${waiting} waiting for a key`,
      ...(liveSessions > 0 ? [`${liveSessions} Live sessions`] : []),
    ]),
    ...line("", "", loads.length > 1 ? ["in flight by worker:", ...loads.slice(0, LISTED_MAX)] : []),
  ];
}

function stateLines({
  leases,
  bans,
  resources,
  conversations: { kept, moved },
  database,
  process,
}: RunningStatus): string[] {
  return [
    ...line("Leases", String(leases.open), [`${leases.uses} uses lent`]),
    ...(bans > 0 ? line("Bans", String(bans), []) : []),
    ...(resources.known > 0 ? line("Owned", `${resources.known} resources whose project is known`, []) : []),
    ...(kept + moved > 0
      ? line("Talks", "", [`${kept} requests stayed with their project`, `${moved} had to move`])
      : []),
    ...databaseLines(database),
    ...processLines(process),
  ];
}

function databaseLines({ state, pendingRows, lostRows }: DatabaseStatus): string[] {
  if (state === "ok" && lostRows === 0) return [];
  return line("Database", DATABASE_TEXTS[state], [`${pendingRows} rows wait`, `${lostRows} rows lost`]);
}

function processLines({ memoryBytes, loopDelay: { p50Ms, p99Ms, maxMs } }: ProcessStatus): string[] {
  return line("Primary", "", [
    `${Math.round(memoryBytes / MEBIBYTE)} MB`,
    `event loop late by ${p50Ms.toFixed(1)} ms`,
    `p99 ${p99Ms.toFixed(1)} ms`,
    `most ${maxMs.toFixed(1)} ms`,
  ]);
}

function requestLines(requests: RequestTotals, nowMs: number): string[] {
  const { total, attempts, promptTokens, outputTokens } = requests;
  const head = `${total} in the last ${formatSpan(nowMs - requests.sinceMs)}`;
  const costs = [
    `${attempts} upstream calls`,
    `${promptTokens} prompt tokens`,
    `${outputTokens} output tokens`,
  ];
  return [...line("Requests", head, counted(requests.byOutcome)), ...line("", "", costs)];
}

function recentLines({ requests, successRate, retries, duration, firstByte }: TrafficStatus): string[] {
  if (requests === 0) return [];
  const facts = [`${requests} requests`, `${percent(successRate)} served`, `${retries} retries`];
  return [
    ...line("Last 30m", "", facts),
    ...line("", "", [`first byte ${percentiles(firstByte)}`]),
    ...line("", "", [`whole answer ${percentiles(duration)}`]),
  ];
}

function modelLines(models: readonly ModelStatus[], nowMs: number): string[] {
  if (models.length === 0) return [];
  const head = ["READY", "REST", "BACK", "30m", "OK", "FIRST", "P99"];
  const shown = models
    .slice(0, MODELS_MAX)
    .map((model) => ({ name: model.model, facts: modelFacts(model, nowMs) }));
  // Names get the room that the numbers leave.
  const taken = head.map((title, column) =>
    shown.reduce((width, { facts }) => Math.max(width, facts[column]?.length ?? 0), title.length),
  );
  const nameWidth = Math.max(
    MODEL_WIDTH_MIN,
    taken.reduce((left, width) => left - width - GAP, WIDTH),
  );
  const rows = shown.map(({ name, facts }) => [cut(name, nameWidth), ...facts]);
  const more = models.length > MODELS_MAX ? [`and ${models.length - MODELS_MAX} more: --json has them`] : [];
  return ["", formatTable(["MODEL", ...head], rows), ...more];
}

function modelFacts({ ready, resting, retryAtMs, recent }: ModelStatus, nowMs: number): string[] {
  return [
    String(ready),
    String(resting),
    formatUntil(retryAtMs, nowMs),
    String(recent?.requests ?? 0),
    percent(recent?.successRate ?? null),
    shortTime(recent?.firstByte.p50Ms ?? null),
    shortTime(recent?.duration.p99Ms ?? null),
  ];
}

/** `Title:    head: part, part`, broken between parts where the line is full. */
function line(title: string, head: string, parts: readonly string[]): string[] {
  const lines: string[] = [];
  let current = (title === "" ? INDENT : `${title}:`.padEnd(INDENT.length)) + head;
  let glue = head === "" ? "" : ": ";
  for (const part of parts) {
    // One more for the comma that may follow.
    if (current.length + glue.length + part.length + 1 > WIDTH && current.trim() !== "") {
      lines.push(current + glue.trimEnd());
      current = INDENT;
      glue = "";
    }
    current += glue + cut(part, WIDTH - INDENT.length - 1);
    glue = part.endsWith(":") ? " " : ", ";
  }
  return current.trim() === "" ? lines : [...lines, current];
}

/** `5 good, 2 dead/leaked`: the most frequent first. */
function counted(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, LISTED_MAX)
    .map(([name, amount]) => `${amount} ${cell(name)}`);
}

function percentiles({ p50Ms, p90Ms, p99Ms }: Percentiles): string {
  return `p50 ${shortTime(p50Ms)}, p90 ${shortTime(p90Ms)}, p99 ${shortTime(p99Ms)}`;
}

/** Never 100 % while anything failed. */
function percent(share: number | null): string {
  return share === null ? "-" : `${Math.floor(share * 1_000) / 10}%`;
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
