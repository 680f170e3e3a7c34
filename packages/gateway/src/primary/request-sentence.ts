/** One finished request in one readable line, for the log on a terminal. Primary thread; pure. */
import type { RequestRow } from "../request-row.ts";

/** Fields of a request's log line that its sentence already tells. */
export const REQUEST_FIELDS: readonly string[] = [
  "requestId",
  "method",
  "path",
  "model",
  "status",
  "outcome",
  "reason",
  "attempts",
  "firstByteMs",
  "durationMs",
  "bytesIn",
  "bytesOut",
  "promptTokens",
  "outputTokens",
  "totalTokens",
  "key",
  "client",
  "address",
];

/**
 * `POST /v1beta/models/m:generateContent 200 served in 12 ms (first byte 9 ms), 2 attempts, 13 tokens, key k-…`;
 * undefined when the line is not about a request.
 */
export function requestSentence(line: Readonly<Record<string, unknown>>): string | undefined {
  if (line["msg"] !== "request") return undefined;
  const {
    method,
    path,
    status,
    outcome,
    reason,
    attempts,
    durationMs,
    firstByteMs,
    totalTokens,
    key,
    client,
  } = line as unknown as RequestRow & { readonly key: string };
  const why = reason === "" ? "" : ` (${reason})`;
  const firstByte = firstByteMs < 0 ? "" : ` (first byte ${firstByteMs} ms)`;
  const parts = [`${method} ${path} ${status} ${outcome}${why} in ${durationMs} ms${firstByte}`];
  if (attempts !== 1) parts.push(`${attempts} attempts`);
  if (totalTokens > 0) parts.push(`${totalTokens} tokens`);
  if (key !== "") parts.push(`key ${key}`);
  return [...parts, client].join(", ");
}
