import { startEmulator } from "gemini-emulator";
import { once } from "node:events";
import { expect, it } from "vitest";
import { LiveClient } from "./harness/live.ts";
import { startPool } from "./harness/pool.ts";
import { startProgram } from "./harness/program.ts";

const SESSIONS = 1_000;
/** Handshakes on their way at one time. */
const AT_ONCE = 100;

async function openMany(url: string, count: number): Promise<LiveClient[]> {
  const clients: LiveClient[] = [];
  while (clients.length < count) {
    const some = Array.from({ length: AT_ONCE }, () => new LiveClient(url));
    await Promise.all(some.map((client) => client.setUp()));
    clients.push(...some);
  }
  return clients;
}

const RESTARTED = "The gateway is being stopped or restarted. Connect again.";
/** A thousand lines of the log at once are another test's. */
const FLAGS = ["--request-log=false", "--ip-per-minute", "0", "--ip-per-hour", "0", "--probe", "off"];

it(
  "tells a thousand sessions that they will end, and stops as soon as they have",
  { timeout: 60_000 },
  async () => {
    await using emulator = await startEmulator();
    await using program = await startProgram(emulator.url, { flags: [...FLAGS, "--shutdown-grace", "1m"] });
    const clients = await openMany(program.url, SESSIONS);
    expect(emulator.live.sessions).toBe(SESSIONS);
    expect(await clients[0]?.say("still here")).toContain("Hello");
    const exited = once(program.process, "exit");
    program.process.kill("SIGTERM");
    const told = await Promise.all(
      clients.map(async (client) => {
        const { goAway } = await client.next("goAway");
        client.socket.close();
        return goAway;
      }),
    );
    expect(told).toEqual(Array.from({ length: SESSIONS }, () => ({ timeLeft: "60s" })));
    expect(await exited).toEqual([0, null]);
    expect(await program.logged("stopped")).toMatchObject({ how: "drained" });
    await emulator.waitUntil(({ live }) => live.sessions === 0);
  },
);

it("ends those that stay at the end of the grace, in order", { timeout: 60_000 }, async () => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, { flags: [...FLAGS, "--shutdown-grace", "500ms"] });
  const clients = await openMany(program.url, SESSIONS);
  const exited = once(program.process, "exit");
  program.process.kill("SIGTERM");
  const ends = await Promise.all(clients.map(({ ended }) => ended));
  expect(ends).toEqual(Array.from({ length: SESSIONS }, () => ({ code: 1012, reason: RESTARTED })));
  expect(await exited).toEqual([0, null]);
  expect(await program.logged("stopped")).toMatchObject({ how: "cut-off" });
  await emulator.waitUntil(({ live }) => live.sessions === 0);
});

it("tells of each that it ended, also of one that does not answer", async () => {
  await using pool = await startPool({ flags: { "shutdown-grace": "100ms" } });
  const clients = Array.from({ length: 3 }, () => new LiveClient(pool.url));
  for (const client of clients) await client.setUp();
  const waiting = new LiveClient(pool.url);
  await waiting.opened;
  clients[0]?.socket.pause();
  await pool.gateway.stop();
  const rows = pool.logLines.map((line) => JSON.parse(line) as Record<string, string>);
  const ended = rows
    .filter(({ msg }) => msg === "request")
    .map(({ outcome, reason }) => `${outcome} ${reason}`);
  expect(ended.toSorted()).toEqual([
    "caller-left shutdown",
    "served shutdown",
    "served shutdown",
    "served shutdown",
  ]);
  expect(await waiting.ended).toEqual({ code: 1012, reason: RESTARTED });
  clients[0]?.socket.terminate();
  const { uses, inFlight } = pool.gateway.scheduler.summary(Date.now());
  expect([uses.lost, inFlight]).toEqual([0, 0]);
});
