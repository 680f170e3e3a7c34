import { startEmulator } from "gemini-emulator";
import { once } from "node:events";
import { expect, it } from "vitest";
import { LiveClient } from "./harness/live.ts";
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

const FLAGS = ["--ip-per-minute", "0", "--ip-per-hour", "0", "--probe", "off"];

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

it(
  "ends those that stay at the end of the grace, in order, and tells of each",
  { timeout: 60_000 },
  async () => {
    await using emulator = await startEmulator();
    await using program = await startProgram(emulator.url, {
      flags: [...FLAGS, "--shutdown-grace", "500ms"],
    });
    const clients = await openMany(program.url, SESSIONS);
    const exited = once(program.process, "exit");
    program.process.kill("SIGTERM");
    const ends = await Promise.all(clients.map(({ ended }) => ended));
    const reason = "The gateway is being stopped or restarted. Connect again.";
    expect(ends).toEqual(Array.from({ length: SESSIONS }, () => ({ code: 1012, reason })));
    expect(await exited).toEqual([0, null]);
    expect(await program.logged("request", (line) => line["reason"] === "shutdown")).toMatchObject({
      outcome: "served",
      status: 101,
    });
    await emulator.waitUntil(({ live }) => live.sessions === 0);
  },
);
