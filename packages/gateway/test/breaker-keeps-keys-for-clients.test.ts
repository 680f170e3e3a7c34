import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { expect, it } from "vitest";
import { type Pool, startPool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

const POLL = { timeout: 8_000, interval: 20 };
const DAY_MS = 86_400_000;
/** A holder that is no worker of the gateway. */
const STRANGER = 1_000_000;
/** A run that goes this many standard deviations astray by chance alone is not seen in a lifetime of runs. */
const DEVIATIONS = 5;

async function poolOf(keys: number, flags: Readonly<Record<string, string>> = {}): Promise<Pool> {
  const projects = Array.from({ length: keys }, (_, index) => ({
    name: `p${index}`,
    keys: [`test-key-${index}`],
  }));
  const guard = { "breaker-low": "5%", "breaker-high": "20%", "auth-key": "alice=secret-of-alice" };
  return startPool({ projects, flags: { ...guard, ...flags } });
}

/** Spends the day's quota of so many keys for the model. */
function spend(scheduler: Scheduler, keys: number): void {
  for (let spent = 0; spent < keys; spent += 1) {
    const nowMs = Date.now();
    const answer = scheduler.lease(STRANGER, { model: MODEL, uses: 1 }, nowMs);
    const lease = "leases" in answer ? answer.leases[0] : undefined;
    if (lease === undefined) throw new Error(`only ${spent} keys could be lent`);
    const evidence = { httpStatus: 429, reason: "test", message: "" };
    const outcome = { kind: "quota-day", untilMs: nowMs + DAY_MS, retryAfterMs: 0, evidence } as const;
    scheduler.settle({ leaseId: lease.id, outcome }, nowMs);
  }
}

interface Told {
  readonly status: number;
  readonly byBreaker: boolean;
  readonly retryAfter: number;
}

async function tell(pool: Pool, headers: Readonly<Record<string, string>> = {}): Promise<Told> {
  const answer = await ask(pool.url, { headers });
  const byBreaker = (await answer.text()).includes("Too few API keys of the gateway are healthy");
  return { status: answer.status, byBreaker, retryAfter: Number(answer.headers.get("retry-after")) };
}

/** How many of so many anonymous requests the breaker refuses. */
async function refusedOf(pool: Pool, requests: number): Promise<number> {
  let refused = 0;
  for (let asked = 0; asked < requests; asked += 20) {
    const told = await Promise.all(Array.from({ length: 20 }, () => tell(pool)));
    expect(told.every(({ status, byBreaker }) => status === (byBreaker ? 503 : 200))).toBe(true);
    refused += told.filter(({ byBreaker }) => byBreaker).length;
  }
  return refused;
}

function expectShare(refused: number, requests: number, share: number): void {
  const spread = DEVIATIONS * Math.sqrt(requests * share * (1 - share));
  expect(Math.abs(refused - requests * share)).toBeLessThanOrEqual(spread);
}

it("with a single key refuses nobody while it is healthy, and leaves the reason to the pool when it is not", async () => {
  await using pool = await poolOf(1);
  expect(await refusedOf(pool, 40)).toBe(0);
  spend(pool.gateway.scheduler, 1);
  // A pocket may hold a use that was lent before.
  let told = await tell(pool);
  await expect.poll(async () => (told = await tell(pool)).status, POLL).toBe(429);
  expect(told).toMatchObject({ byBreaker: false });
  expect(told.retryAfter).toBeGreaterThan(60);
});

it("with 5 keys refuses nobody while one is healthy; with other thresholds as often as they say", async () => {
  await using pool = await poolOf(5);
  expect((await tell(pool)).status).toBe(200);
  spend(pool.gateway.scheduler, 4);
  expect(await refusedOf(pool, 40)).toBe(0);

  await using strict = await poolOf(5, { "breaker-low": "1", "breaker-high": "100%" });
  expect((await tell(strict)).status).toBe(200);
  spend(strict.gateway.scheduler, 2);
  await expect.poll(async () => (await tell(strict)).byBreaker, POLL).toBe(true);
  // 3 of 5 healthy, between 1 and 5: half.
  expectShare(await refusedOf(strict, 400), 400, 0.5);
});

it("with 1,000 keys refuses the more the fewer are healthy, and nobody with an auth key", async () => {
  await using pool = await poolOf(1_000);
  const { scheduler } = pool.gateway;
  expect((await tell(pool)).status).toBe(200);
  spend(scheduler, 790);
  expect(await refusedOf(pool, 100)).toBe(0);
  // 125 healthy, between 50 and 200: half.
  spend(scheduler, 85);
  await expect.poll(async () => (await tell(pool)).byBreaker, POLL).toBe(true);
  expectShare(await refusedOf(pool, 400), 400, 0.5);
  // Fewer than 50.
  spend(scheduler, 85);
  await expect.poll(() => refusedOf(pool, 20), POLL).toBe(20);
  const refused = await tell(pool);
  expect(refused).toMatchObject({ status: 503, byBreaker: true });
  expect(refused.retryAfter).toBeGreaterThanOrEqual(5);
  const alice = { "x-goog-api-key": "secret-of-alice" };
  for (let time = 0; time < 10; time += 1) expect((await tell(pool, alice)).status).toBe(200);
  expect(await tell(pool, { "x-goog-api-key": "secret-of-bob" })).toMatchObject({ byBreaker: true });
});

it("judges a model that only the body names, and knows nothing against a model nobody asked for", async () => {
  await using pool = await poolOf(5, { "breaker-low": "5", "breaker-high": "5" });
  const chat = (model: string): Promise<Response> =>
    ask(pool.url, {
      path: "/v1beta/openai/chat/completions",
      body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
    });
  expect((await chat(MODEL)).status).toBe(200);
  spend(pool.gateway.scheduler, 1);
  await expect.poll(async () => (await chat(MODEL)).status, POLL).toBe(503);
  expect(await (await chat(MODEL)).json()).toMatchObject([{ error: { code: 503, status: "UNAVAILABLE" } }]);
  expect((await chat("gemini-2.5-flash-lite")).status).toBe(200);
});
