/** A finished request as a worker tells of it, for tests of what becomes of rows. */
import type { RequestRow } from "../../src/request-row.ts";

/** A request that was served, but for what the test says otherwise. */
export function requestRow(change: Partial<RequestRow> = {}): RequestRow {
  return {
    atMs: 1,
    requestId: "r-1",
    method: "POST",
    path: "/v1beta/models/m:generateContent",
    model: "m",
    status: 200,
    outcome: "served",
    reason: "",
    attempts: 1,
    firstByteMs: 3,
    durationMs: 5,
    bytesIn: 0,
    bytesOut: 0,
    promptTokens: 0,
    outputTokens: 0,
    totalTokens: 0,
    keyId: 1,
    fingerprint: "k-abcdefghij23",
    client: "anonymous",
    address: "127.0.0.1",
    ...change,
  };
}
