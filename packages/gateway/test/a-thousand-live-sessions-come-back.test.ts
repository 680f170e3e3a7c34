/**
 * A thousand Live sessions on five projects, all talking, when the gateway is restarted: each is told, and each comes
 * back by its handle to the project that holds it.
 */
import { expect, it } from "vitest";
import { LIVE_MODEL, LiveClient } from "./harness/live.ts";
import { startPool } from "./harness/pool.ts";

const SESSIONS = 1_000;
/** Handshakes on their way at one time. */
const AT_ONCE = 100;
const PROJECTS = ["alpha", "beta", "gamma", "delta", "epsilon"].map((name) => ({
  name,
  keys: [`test-key-${name}`],
}));

/** A session as its client knows it. */
interface Held {
  readonly client: LiveClient;
  readonly project: string;
  readonly handle: string;
}

/** Begins a session, or takes one up again, and says something in it. */
async function hold(url: string, handle?: string): Promise<Held> {
  const client = new LiveClient(url);
  await client.send({
    setup: { model: LIVE_MODEL, sessionResumption: handle === undefined ? {} : { handle } },
  });
  await client.next("sessionResumptionUpdate");
  await client.send({ realtimeInput: { text: "x" } });
  const project = await client.hearsMatch(/project (\w+):/);
  const { sessionResumptionUpdate } = await client.next("sessionResumptionUpdate");
  const { newHandle } = sessionResumptionUpdate as { readonly newHandle: string };
  return { client, project, handle: newHandle };
}

/** The results in order, with {@link AT_ONCE} on their way at one time. */
async function inGroups<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(act))));
  }
  return results;
}

it("over a restart, each at the project that holds it", { timeout: 240_000 }, async () => {
  await using pool = await startPool({
    projects: PROJECTS,
    flags: { "request-log": false, "shutdown-grace": "1m" },
    callsKept: 10,
  });
  const numbers = Array.from({ length: SESSIONS }, (_, number) => number);
  const held = await inGroups(numbers, () => hold(pool.url));
  expect(pool.emulator.live.sessions).toBe(SESSIONS);
  // A session is in flight to its end, so that the choice spreads them.
  const shares = PROJECTS.map(({ name }) => held.filter(({ project }) => project === name).length);
  expect(Math.min(...shares)).toBeGreaterThan(SESSIONS / PROJECTS.length / 2);

  const restarted = pool.restart();
  await Promise.all(
    held.map(async ({ client }) => {
      await client.next("goAway");
      client.socket.close();
    }),
  );
  await restarted;
  const again = await inGroups(held, ({ handle }) => hold(pool.url, handle));
  expect(again.map(({ project }) => project)).toEqual(held.map(({ project }) => project));
  expect(pool.emulator.live.sessions).toBe(SESSIONS);
  expect(pool.emulator.calls.foreignHits).toBe(0);
  expect(pool.emulator.calls.total).toBe(SESSIONS * 2);

  const ends = Promise.all(again.map(({ client }) => client.ended));
  for (const { client } of again) client.socket.close();
  await ends;
  await pool.endsInBalance();
});
