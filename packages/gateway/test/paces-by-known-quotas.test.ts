import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

/** Statuses of so many requests, one after the other. */
async function statusesOf(url: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const response = await ask(url);
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

it("keeps within a configured quota without asking the upstream, and says when to come back", async () => {
  await using pool = await startPool({
    projects: [{ name: "alpha", keys: ["test-key-1", "test-key-2"] }],
    flags: { quotas: [`${MODEL}=3/-/-`], "lease-max-wait": "0s" },
  });
  expect(await statusesOf(pool.url, 3)).toEqual([200, 200, 200]);
  const refused = await ask(pool.url);
  expect(refused.status).toBe(429);
  const retryAfterSeconds = Number(refused.headers.get("retry-after"));
  expect(retryAfterSeconds).toBeGreaterThan(50);
  expect(retryAfterSeconds).toBeLessThanOrEqual(62);
  expect(pool.emulator.calls.total).toBe(3);
});

it("learns a quota from one refusal, and knows it and what was used of it after a restart", async () => {
  await using pool = await startPool({
    projects: [{ name: "alpha", keys: ["test-key-1"], quotas: { [MODEL]: { rpd: 4 } } }],
    flags: { "lease-max-wait": "0s", probe: "off" },
  });
  expect(await statusesOf(pool.url, 5)).toEqual([200, 200, 200, 200, 429]);
  expect(pool.emulator.calls.total).toBe(5);
  const quotaOf = () => pool.keyView("test-key-1").lanes.find(({ model }) => model === MODEL)?.quota;
  expect(quotaOf()?.limits).toEqual({ requestsPerDay: 4 });
  await pool.restart();
  expect(quotaOf()).toMatchObject({ limits: { requestsPerDay: 4 }, requestsOfDay: 4 });
  expect(await statusesOf(pool.url, 2)).toEqual([429, 429]);
  expect(pool.emulator.calls.total).toBe(5);
});

it("counts tokens by what the answers say, and keeps within them", async () => {
  await using pool = await startPool({
    projects: [{ name: "alpha", keys: ["test-key-1"] }],
    flags: { quotas: [`${MODEL}=-/40/-`], "lease-max-wait": "0s", probe: "off" },
  });
  const statuses = await statusesOf(pool.url, 60);
  const served = statuses.filter((status) => status === 200).length;
  const used = pool.keyView("test-key-1").lanes.find(({ model }) => model === MODEL)?.quota;
  expect(statuses).toContain(429);
  expect(served).toBeGreaterThan(1);
  expect(used?.tokensOfMinute).toBeGreaterThan(20);
  expect(used?.tokensOfMinute).toBeLessThanOrEqual(40);
  expect(pool.emulator.calls.total).toBe(served);
});
