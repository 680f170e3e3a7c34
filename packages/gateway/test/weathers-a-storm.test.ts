import { expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask, promptBody } from "./harness/requests.ts";

const PROJECTS = 100;
const AT_ONCE = 8;
const ATTEMPTS = 5;

/** Sends `count` prompts, some at once; gives how often the client saw each status. */
async function statusesOf(pool: Pool, count: number): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await ask(pool.url, { body: promptBody("storm") });
      await response.arrayBuffer();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return statuses;
}

it("settles at under 1.1 upstream calls per request when 99 of 100 projects run out", async () => {
  const spent = Array.from({ length: PROJECTS - 1 }, (_, at) => ({
    name: `spent-${at}`,
    keys: [`test-key-spent-${at}`],
    quotas: { "*": { rpd: 2 } },
  }));
  await using pool = await startPool({
    projects: [...spent, { name: "good", keys: ["test-key-good"] }],
    flags: { "log-level": "warn" },
  });
  // All run out at the same moment: as each fails once and a request has five attempts, some twenty may see the
  // honest 429, and never more.
  const collapse = await statusesOf(pool, 600);
  const refused = collapse.get(429) ?? 0;
  expect(refused).toBeLessThanOrEqual(PROJECTS / ATTEMPTS + AT_ONCE);
  expect((collapse.get(200) ?? 0) + refused).toBe(600);

  pool.emulator.calls.reset();
  const requests = 500;
  expect(await statusesOf(pool, requests)).toEqual(new Map([[200, requests]]));
  expect(pool.emulator.calls.total / requests).toBeLessThan(1.1);
});
