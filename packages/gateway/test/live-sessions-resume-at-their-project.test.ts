import { expect, it } from "vitest";
import { LIVE_MODEL, LIVE_PATH, LiveClient } from "./harness/live.ts";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool, PoolOptions } from "./harness/pool.ts";

const PROJECTS = fiveProjects(1);

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: PROJECTS, ...options });
}

interface Begun {
  readonly handle: string;
  readonly project: string;
}

async function begin(url: string): Promise<Begun> {
  const client = new LiveClient(url);
  await client.send({ setup: { model: LIVE_MODEL, sessionResumption: {} } });
  await client.next("setupComplete");
  const { sessionResumptionUpdate } = await client.next("sessionResumptionUpdate");
  const { newHandle: handle } = sessionResumptionUpdate as { readonly newHandle: string };
  await client.send({ realtimeInput: { text: "x" } });
  const text = await client.hearsMatch(/project (\w+)/);
  client.socket.close();
  return { handle, project: text };
}

async function resume(url: string, handle: string): Promise<string> {
  const client = new LiveClient(url);
  await client.setUp({ sessionResumption: { handle } });
  await client.send({ realtimeInput: { text: "x" } });
  const project = await client.hearsMatch(/project (\w+)/);
  client.socket.close();
  return project;
}

it("with a key of the project that began it, before and after a restart, at one attempt", async () => {
  const pool = await poolWith();
  const begun: Begun[] = [];
  for (let count = 0; count < PROJECTS.length; count += 1) begun.push(await begin(pool.url));
  expect(new Set(begun.map(({ project }) => project)).size).toBeGreaterThan(1);
  const resumed = [];
  for (const { handle } of begun) resumed.push(await resume(pool.url, handle));
  expect(resumed).toEqual(begun.map(({ project }) => project));
  await pool.restart();
  const again = [];
  for (const { handle } of begun) again.push(await resume(pool.url, handle));
  expect(again).toEqual(begun.map(({ project }) => project));
  expect(pool.emulator.calls.foreignHits).toBe(0);
  for (const { handle } of begun) expect(pool.logLines.join("\n")).not.toContain(handle);
  await pool.endsInBalance();
});

it("and finds the project of one it has never seen, and remembers it", async () => {
  const pool = await poolWith();
  const direct = new LiveClient(pool.emulator.url, `${LIVE_PATH}?key=test-key-delta`);
  await direct.send({ setup: { model: LIVE_MODEL, sessionResumption: {} } });
  const { sessionResumptionUpdate } = await direct.next("sessionResumptionUpdate");
  const { newHandle: handle } = sessionResumptionUpdate as { readonly newHandle: string };
  direct.socket.close();
  expect(await resume(pool.url, handle)).toBe("delta");
  const hits = pool.emulator.calls.foreignHits;
  expect(hits).toBeLessThan(PROJECTS.length);
  expect(await resume(pool.url, handle)).toBe("delta");
  expect(pool.emulator.calls.foreignHits).toBe(hits);
  const row = await pool.requestLogged(
    ({ attempts, outcome }) => outcome === "served" && attempts === hits + 1,
  );
  expect(row.path).toContain("/ws/");
  await pool.endsInBalance();
});

it("or says whose fault it is not: the owner is out of quota, the session is nowhere", async () => {
  const pool = await poolWith({ flags: { "lease-max-wait": "0s" } });
  const { handle, project } = await begin(pool.url);
  const reason = "You exceeded your current quota, please check your plan.";
  pool.emulator.fault({ match: { project }, fault: { kind: "live-close", code: 1011, reason } });
  for (const words of [/ is out of quota for this model|has used up its quota/, /has used up its quota/]) {
    const client = new LiveClient(pool.url);
    await client.send({ setup: { model: LIVE_MODEL, sessionResumption: { handle } } });
    const end = await client.ended;
    expect(end.code).toBe(1011);
    expect(end.reason).toMatch(words);
    expect(end.reason).toMatch(/Retry in \d+s\.$/);
  }
  const nowhere = new LiveClient(pool.url);
  await nowhere.send({ setup: { model: LIVE_MODEL, sessionResumption: { handle: "made-up" } } });
  expect(await nowhere.ended).toEqual({ code: 1008, reason: "BidiGenerateContent session not found." });
  await pool.endsInBalance();
});
