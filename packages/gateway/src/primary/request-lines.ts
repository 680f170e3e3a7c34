/**
 * One line in the log for each finished request: the very text pino would write, put together from pieces that are made
 * once for all requests of a kind. Primary thread. The values must hold no secret, for nothing is redacted here.
 */
import { type DestinationStream, type Logger, pino } from "pino";
import type { RequestRow } from "../request-row.ts";
import type { RequestKind, RowList } from "../row-batch.ts";

/** Requests are told at this level. */
const LEVEL = "info";
const LEVEL_NUMBER = pino.levels.values[LEVEL] ?? 0;

/** What the logger keeps under pino's public symbols. */
interface LoggerParts {
  readonly [pino.symbols.streamSym]: DestinationStream;
  /** `,"time":…` */
  readonly [pino.symbols.timeSym]: () => string;
}

/** What the lines of one kind share, between the values that are each request's own. */
interface KindText {
  readonly beforeBytesIn: string;
  readonly beforeFirstByte: string;
  readonly beforeDuration: string;
}

/** @param log one without bindings, serializers or redaction of its own */
export function writeRequestLines(log: Logger, rows: RowList): void {
  if (!log.isLevelEnabled(LEVEL)) return;
  const { [pino.symbols.streamSym]: stream, [pino.symbols.timeSym]: time } = log as unknown as LoggerParts;
  const head = `{"level":${LEVEL_NUMBER}${time()},"requestId":`;
  const kinds = rows.kinds.map(kindText);
  for (let index = 0; index < rows.count; index += 1) {
    const kind = kinds[rows.kindOf(index)];
    if (kind !== undefined) stream.write(lineOf(rows.row(index), kind, head));
  }
}

function kindText({
  method,
  model,
  status,
  outcome,
  reason,
  client,
  address,
  path,
  attempts,
}: RequestKind): KindText {
  const first = JSON.stringify({ method, model, status, outcome, reason });
  const second = JSON.stringify({ client, address, path });
  return {
    beforeBytesIn: `,${first.slice(1, -1)},"bytesIn":`,
    beforeFirstByte: `,${second.slice(1, -1)},"firstByteMs":`,
    beforeDuration: `,"attempts":${jsonNumber(attempts)},"durationMs":`,
  };
}

function lineOf(row: RequestRow, kind: KindText, head: string): string {
  return (
    `${head}${JSON.stringify(row.requestId)}${kind.beforeBytesIn}${jsonNumber(row.bytesIn)}` +
    `,"bytesOut":${jsonNumber(row.bytesOut)}${kind.beforeFirstByte}${jsonNumber(row.firstByteMs)}` +
    `${kind.beforeDuration}${jsonNumber(row.durationMs)},"promptTokens":${jsonNumber(row.promptTokens)}` +
    `,"outputTokens":${jsonNumber(row.outputTokens)},"totalTokens":${jsonNumber(row.totalTokens)}` +
    `,"key":${JSON.stringify(row.fingerprint)},"msg":"request"}\n`
  );
}

function jsonNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : "null";
}
