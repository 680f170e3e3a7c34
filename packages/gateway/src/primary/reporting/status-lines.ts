/**
 * One report of the status file, and how the file is kept within its size. Pure.
 *
 * The layout, as in the original: a header with the time, then one line for each model with its available keys, its
 * unavailable keys and its requests of the last 30 minutes; our own lines follow, and an empty line ends the report.
 */
import type { RunningStatus } from "../../control/types.ts";

/** Begins the first line of every report, and no other line. */
const HEADER_MARK = "===";
const HEADER_START = `\n${HEADER_MARK} `;
const CONTROL_CHARACTERS = /\p{Cc}/gu;

/** The report for `nowMs`, milliseconds since the epoch; times are in UTC. Ends with an empty line. */
export function statusLines(report: RunningStatus, nowMs: number): string {
  const { recent, keys, database } = report;
  const time = new Date(nowMs).toISOString().slice(0, 19).replace("T", " ");
  const models = report.models.map(
    (model) =>
      `${oneLine(model.model)}: available keys ${model.ready}, unavailable keys ${model.resting}, ` +
      `requests in the last 30 minutes ${model.recent?.requests ?? 0}`,
  );
  return [
    `${HEADER_MARK} ${time} UTC ${HEADER_MARK}`,
    ...models,
    `all models: keys ${keys.total}, requests in the last 30 minutes ${recent.requests}, ` +
      `served ${percent(recent.successRate)}, retries ${recent.retries}`,
    ...(database.state === "ok" ? [] : [`the database cannot be written, ${database.pendingRows} rows wait`]),
    "",
    "",
  ].join("\n");
}

/**
 * The newest reports of a file that fit into `bytesMax`, whole ones; of a single report that does not fit, its first
 * whole lines.
 */
export function trimToSize(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length <= bytesMax) return bytes;
  // One byte more, so that a report is found that begins exactly where the room does.
  const tail = bytes.subarray(bytes.length - bytesMax - 1);
  const start = tail.indexOf(HEADER_START);
  if (start >= 0) return tail.subarray(start + 1);
  const last = bytes.subarray(bytes.lastIndexOf(HEADER_START) + 1).subarray(0, bytesMax);
  return last.subarray(0, last.lastIndexOf("\n") + 1);
}

/** Names come from callers: none may look like a line of its own. */
function oneLine(text: string): string {
  return text.replace(CONTROL_CHARACTERS, "\u{fffd}");
}

function percent(share: number | null): string {
  return share === null ? "-" : `${(share * 100).toFixed(1)}%`;
}
