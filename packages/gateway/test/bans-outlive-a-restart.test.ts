import { expect, it } from "vitest";
import { guardOf } from "./harness/guard.ts";
import { type Pool, startPool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

const FLAGS = { "ip-per-minute": 0, "ip-per-hour": 5, "trust-proxy": "loopback" };
const POLL = { timeout: 8_000, interval: 20 };

async function statusFrom(pool: Pool, address: string): Promise<number> {
  const answer = await ask(pool.url, { headers: { "x-forwarded-for": address, connection: "close" } });
  await answer.arrayBuffer();
  return answer.status;
}

async function earnBan(pool: Pool, address: string): Promise<void> {
  for (let time = 0; time < 5; time += 1) expect(await statusFrom(pool, address)).toBe(200);
  expect(await statusFrom(pool, address)).toBe(403);
  await expect.poll(async () => (await guardOf(pool).listBans()).length, POLL).toBe(1);
}

it("bans who asks too much in an hour, over a restart, until the ban is ended", async () => {
  await using pool = await startPool({ flags: FLAGS });
  await earnBan(pool, "198.51.100.7");
  const [ban] = await guardOf(pool).listBans();
  expect(ban).toMatchObject({ network: "198.51.100.7", reason: "requests-per-hour", untilMs: null });

  await pool.restart();
  const refused = await ask(pool.url, { headers: { "x-forwarded-for": "198.51.100.7" } });
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ error: { code: 403, status: "PERMISSION_DENIED" } });
  expect(refused.headers.get("retry-after")).toBeNull();
  expect(await statusFrom(pool, "198.51.100.8")).toBe(200);

  const report = await guardOf(pool).removeBans({ networks: ["198.51.100.7", "198.51.100.9"] });
  expect(report).toEqual({ removed: ["198.51.100.7"], unknown: ["198.51.100.9"] });
  await expect.poll(() => statusFrom(pool, "198.51.100.7"), POLL).toBe(200);
  await pool.restart();
  expect(await statusFrom(pool, "198.51.100.7")).toBe(200);
});

it("lets who was banned ask as much as anybody once the ban is ended, without a restart too", async () => {
  await using pool = await startPool({ flags: { ...FLAGS, workers: 1 } });
  await earnBan(pool, "2001:db8:0:1::7");
  expect(await statusFrom(pool, "2001:db8:0:1::8")).toBe(403);
  await guardOf(pool).removeBans({ networks: ["2001:db8:0:1::/64"] });
  await expect.poll(() => statusFrom(pool, "2001:db8:0:1::7"), POLL).toBe(200);
});

it("ends a ban by itself when its time is over, and counts anew from there", async () => {
  await using pool = await startPool({ flags: { ...FLAGS, "ip-ban": "1s" } });
  for (let time = 0; time < 5; time += 1) expect(await statusFrom(pool, "198.51.100.7")).toBe(200);
  const refused = await ask(pool.url, { headers: { "x-forwarded-for": "198.51.100.7" } });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([403, "1"]);
  await expect.poll(() => statusFrom(pool, "198.51.100.7"), POLL).toBe(200);
  expect(await guardOf(pool).listBans()).toEqual([]);
});

it("bans what an operator names at once, and by the narrowest words", async () => {
  await using pool = await startPool({
    flags: { ...FLAGS, "ip-allow": "10.0.0.9", "auth-key": "alice=secret-of-alice" },
  });
  expect(await statusFrom(pool, "10.0.0.1")).toBe(200);
  const rows = await guardOf(pool).addBans({
    networks: ["10.1.2.3/8"],
    durationMs: 3_600_000,
    note: "noisy",
  });
  expect(rows).toMatchObject([{ network: "10.0.0.0/8", reason: "operator", note: "noisy" }]);
  await expect.poll(() => statusFrom(pool, "10.0.0.1"), POLL).toBe(403);
  expect(await statusFrom(pool, "10.0.0.9")).toBe(200);
  expect(await statusFrom(pool, "11.0.0.1")).toBe(200);
  const headers = { "x-forwarded-for": "10.0.0.1", "x-goog-api-key": "secret-of-alice" };
  expect((await ask(pool.url, { headers })).status).toBe(200);
  await expect(guardOf(pool).addBans({ networks: ["nobody"], durationMs: null, note: null })).rejects.toThrow(
    '"nobody" is no address and no network.',
  );
});

it("tells workers that start later of the bans", async () => {
  await using pool = await startPool({ flags: { ...FLAGS, workers: 1 } });
  await guardOf(pool).addBans({ networks: ["198.51.100.7"], durationMs: null, note: null });
  const { supervisor } = pool.gateway;
  await supervisor.kill(supervisor.views(Date.now())[0]?.holder ?? 0);
  await expect.poll(() => statusFrom(pool, "198.51.100.8").catch(() => 0), POLL).toBe(200);
  expect(await statusFrom(pool, "198.51.100.7")).toBe(403);
});
