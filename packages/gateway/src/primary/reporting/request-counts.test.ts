import { expect, it } from "vitest";
import { RequestCounts } from "./request-counts.ts";
import { requestRow } from "../../../test/harness/request-row.ts";

it("counts requests, calls, tokens and bytes by the labels they are told under", () => {
  const counts = new RequestCounts();
  counts.record(
    requestRow({ attempts: 3, promptTokens: 5, outputTokens: 7, bytesIn: 11, bytesOut: 13 }),
    "m",
  );
  counts.record(requestRow({ outcome: "quota-day", promptTokens: 1, bytesIn: 1 }), "m");
  counts.record(requestRow({ outcome: "refused", attempts: 0 }), "other");
  const lines = counts.text().split("\n");
  for (const line of [
    "# TYPE gemini_gateway_requests_total counter",
    'gemini_gateway_requests_total{model="m",outcome="served"} 1',
    'gemini_gateway_requests_total{model="m",outcome="quota-day"} 1',
    'gemini_gateway_requests_total{model="other",outcome="refused"} 1',
    'gemini_gateway_upstream_attempts_total{model="m"} 4',
    'gemini_gateway_upstream_attempts_total{model="other"} 0',
    'gemini_gateway_retries_total{model="m"} 2',
    'gemini_gateway_tokens_total{model="m",direction="prompt"} 6',
    'gemini_gateway_tokens_total{model="m",direction="output"} 7',
    'gemini_gateway_body_bytes_total{direction="in"} 12',
    'gemini_gateway_body_bytes_total{direction="out"} 13',
  ])
    expect(lines).toContain(line);
});

it("tells how long answered requests took, each bucket with all that are shorter", () => {
  const counts = new RequestCounts();
  counts.record(requestRow({ durationMs: 50, firstByteMs: 20 }), "m");
  counts.record(requestRow({ durationMs: 51, firstByteMs: -1 }), "m");
  counts.record(requestRow({ durationMs: 10_000_000, firstByteMs: 300 }), "m");
  counts.record(requestRow({ outcome: "network", durationMs: 10 }), "m");
  const lines = counts.text().split("\n");
  for (const line of [
    "# TYPE gemini_gateway_request_duration_seconds histogram",
    'gemini_gateway_request_duration_seconds_bucket{le="0.05",model="m"} 1',
    'gemini_gateway_request_duration_seconds_bucket{le="0.1",model="m"} 2',
    'gemini_gateway_request_duration_seconds_bucket{le="640",model="m"} 2',
    'gemini_gateway_request_duration_seconds_bucket{le="+Inf",model="m"} 3',
    'gemini_gateway_request_duration_seconds_count{model="m"} 3',
    'gemini_gateway_time_to_first_byte_seconds_bucket{le="0.05",model="m"} 1',
    'gemini_gateway_time_to_first_byte_seconds_count{model="m"} 2',
  ])
    expect(lines).toContain(line);
  const sum = /request_duration_seconds_sum\{model="m"\} (.+)/.exec(counts.text())?.[1];
  expect(Number(sum)).toBeCloseTo(10_000.101);
});

it("keeps a label from breaking its line", () => {
  const counts = new RequestCounts();
  counts.record(requestRow({}), 'a"b\\c\nd');
  expect(counts.text()).toContain('requests_total{model="a\\"b\\\\c\\nd",outcome="served"} 1\n');
});
