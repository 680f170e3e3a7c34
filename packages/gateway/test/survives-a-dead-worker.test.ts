import { expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask, askStream, MODEL } from "./harness/requests.ts";

/** Streams that make it all but certain that the kernel gave each of two workers some: 1 in 8,192 misses. */
const STREAMS = 14;

/** Opens streams that stall after one event; resolves when the workers have told how many each of them serves. */
async function stalledStreams(pool: Pool): Promise<Response[]> {
  pool.emulator.fault({
    match: { operation: "streamGenerateContent" },
    fault: { kind: "stall", afterEvents: 1 },
  });
  const streams = await Promise.all(Array.from({ length: STREAMS }, () => askStream(pool.url)));
  await expect.poll(() => serving(pool).reduce((sum, each) => sum + each, 0), POLL).toBe(STREAMS);
  return streams;
}

function serving(pool: Pool): number[] {
  return pool.gateway.supervisor.views(Date.now()).map(({ activeRequests }) => activeRequests);
}

const POLL = { timeout: 8_000, interval: 20 };

it("replaces a dead worker within a second, takes its leases back, and other workers' streams go on", async () => {
  await using pool = await startPool({ flags: { workers: 2, "lease-ttl": "1s" } });
  const { supervisor, scheduler } = pool.gateway;
  const streams = await stalledStreams(pool);
  const lentBefore = scheduler.inFlight;
  const [victim] = supervisor.views(Date.now());
  const diedAtMs = performance.now();
  await supervisor.kill(victim?.holder ?? 0);
  const endings = streams.map((stream) =>
    stream.text().then(
      () => "complete",
      () => "broken",
    ),
  );

  await expect
    .poll(() => supervisor.views(Date.now()).filter(({ listening }) => listening).length, POLL)
    .toBe(2);
  expect(performance.now() - diedAtMs).toBeLessThan(1000);
  expect(supervisor.replaced).toBe(1);
  expect(scheduler.inFlight).toBeLessThan(lentBefore);
  scheduler.checkInvariants();

  pool.emulator.clearFaults();
  const ended = await Promise.all(endings);
  expect(ended).toContain("broken");
  expect(ended).toContain("complete");
  for (let more = 0; more < 8; more += 1) expect((await ask(pool.url)).status).toBe(200);
  // What the workers kept for the next requests comes back when the leases run out.
  await expect.poll(() => scheduler.inFlight, POLL).toBe(0);
});

it("gives back the room among concurrent requests that a dead worker held", async () => {
  await using pool = await startPool({ flags: { workers: 1, "limits-requests": 2 } });
  pool.emulator.fault({
    match: { operation: "streamGenerateContent" },
    fault: { kind: "stall", afterEvents: 1 },
  });
  const held = [await askStream(pool.url), await askStream(pool.url)];
  const refused = await ask(pool.url);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");

  const [victim] = pool.gateway.supervisor.views(Date.now());
  await pool.gateway.supervisor.kill(victim?.holder ?? 0);
  await Promise.allSettled(held.map((stream) => stream.text()));
  await expect
    .poll(() => pool.gateway.supervisor.views(Date.now()).some(({ listening }) => listening), POLL)
    .toBe(true);
  const answer = await ask(pool.url, { path: `/v1beta/models/${MODEL}:generateContent` });
  expect(answer.status).toBe(200);
});
