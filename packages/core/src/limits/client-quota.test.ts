import { expect, test } from "vitest";
import { chargeClient, CLIENT_QUOTA_CELLS, type ClientLimits, clientRefusal } from "./client-quota.ts";

const FREE: ClientLimits = {
  requestsPerMinute: 0,
  requestsPerDay: 0,
  tokensPerMinute: 0,
  tokensPerDay: 0,
  concurrency: 0,
};
const DAY_MS = 86_400_000;

test.each([
  ["requestsPerMinute", "requests", 60_000],
  ["requestsPerDay", "requests", DAY_MS],
  ["tokensPerMinute", "tokens", 60_000],
  ["tokensPerDay", "tokens", DAY_MS],
] as const)("%s holds for its span, and says when there is room again", (name, limit, spanMs) => {
  const cells = new Uint32Array(CLIENT_QUOTA_CELLS);
  const limits = { ...FREE, [name]: 100 };
  const startMs = 7 * DAY_MS;
  chargeClient(cells, 0, limit, startMs, 99);
  expect(clientRefusal(cells, 0, limits, startMs)).toBeUndefined();
  chargeClient(cells, 0, limit, startMs, 1);
  const refusal = clientRefusal(cells, 0, limits, startMs + 5);
  expect(refusal?.limit).toBe(limit);
  const waitMs = refusal?.retryAfterMs ?? 0;
  expect(waitMs).toBeGreaterThanOrEqual(spanMs - 5);
  expect(clientRefusal(cells, 0, limits, startMs + 5 + waitMs - 1)).toBeDefined();
  expect(clientRefusal(cells, 0, limits, startMs + 5 + waitMs)).toBeUndefined();
});

test("of several limits the one that lasts longest is told", () => {
  const cells = new Uint32Array(CLIENT_QUOTA_CELLS);
  chargeClient(cells, 0, "requests", DAY_MS, 5);
  chargeClient(cells, 0, "tokens", DAY_MS, 5);
  const refusal = clientRefusal(cells, 0, { ...FREE, requestsPerMinute: 5, tokensPerDay: 5 }, DAY_MS);
  expect(refusal?.limit).toBe("tokens");
  expect(refusal?.retryAfterMs).toBeGreaterThan(DAY_MS - 1);
});

test("without limits nothing is refused", () => {
  const cells = new Uint32Array(CLIENT_QUOTA_CELLS);
  chargeClient(cells, 0, "requests", 0, 1_000_000);
  expect(clientRefusal(cells, 0, FREE, 0)).toBeUndefined();
});
