import { expect, it } from "vitest";
import { type Pool, startPool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

/** Requests at once, of which one minute's limit lets only some pass. */
const AT_ONCE = 60;
const LIMIT = 40;

/** Asks as someone behind a trusted proxy, on a connection of its own so that any worker may get it. */
function askFrom(
  pool: Pool,
  address: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return ask(pool.url, { headers: { "x-forwarded-for": address, connection: "close", ...headers } });
}

async function statusesOf(answers: readonly Promise<Response>[]): Promise<number[]> {
  const statuses = answers.map(async (answer) => {
    const response = await answer;
    await response.arrayBuffer();
    return response.status;
  });
  return (await Promise.all(statuses)).toSorted((left, right) => left - right);
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

it("lets exactly 40 of 60 simultaneous requests pass through 8 workers, round after round", async () => {
  await using pool = await startPool({
    flags: { workers: 8, "ip-per-minute": LIMIT, "trust-proxy": "loopback" },
  });
  for (let round = 0; round < 5; round += 1) {
    const address = round % 2 === 0 ? `198.51.100.${round}` : `2001:db8:0:${round}::1`;
    const statuses = await statusesOf(times(AT_ONCE, () => askFrom(pool, address)));
    expect(statuses).toEqual([...times(LIMIT, () => 200), ...times(AT_ONCE - LIMIT, () => 429)]);
  }
});

it("says in Google's shape when to come back, logs who asked, and tells addresses apart", async () => {
  await using pool = await startPool({ flags: { "ip-per-minute": 2, "trust-proxy": "loopback" } });
  expect(await statusesOf(times(2, () => askFrom(pool, "198.51.100.7")))).toEqual([200, 200]);
  const refused = await askFrom(pool, "198.51.100.7");
  expect(refused.status).toBe(429);
  const retryAfter = Number(refused.headers.get("retry-after"));
  expect(retryAfter).toBeGreaterThanOrEqual(55);
  expect(retryAfter).toBeLessThanOrEqual(61);
  expect(await refused.json()).toMatchObject({
    error: { code: 429, status: "RESOURCE_EXHAUSTED", details: [{ retryDelay: `${retryAfter}s` }] },
  });
  const row = await pool.requestLogged(({ status }) => status === 429);
  expect(row).toMatchObject({ address: "198.51.100.7", client: "anonymous", attempts: 0 });

  // Of an IPv6 network all addresses are one; its neighbour is another.
  expect(await statusesOf(times(2, () => askFrom(pool, "2001:db8:0:1::a")))).toEqual([200, 200]);
  expect((await askFrom(pool, "2001:db8:0:1:ffff::b")).status).toBe(429);
  expect((await askFrom(pool, "2001:db8:0:2::a")).status).toBe(200);
});

it("counts what leads nowhere too, but no probe and no preflight", async () => {
  await using pool = await startPool({ flags: { workers: 1, "ip-per-minute": 3 } });
  for (let time = 0; time < 5; time += 1) {
    expect((await fetch(`${pool.url}/healthz`)).status).toBe(200);
    await fetch(`${pool.url}/v1beta/models`, { method: "OPTIONS" });
  }
  expect((await fetch(`${pool.url}/nowhere`)).status).toBe(404);
  expect((await fetch(`${pool.url}/nowhere`)).status).toBe(404);
  expect((await ask(pool.url)).status).toBe(200);
  expect((await fetch(`${pool.url}/nowhere`)).status).toBe(429);
});

it("believes no header of a caller that is not a trusted proxy", async () => {
  await using pool = await startPool({ flags: { "ip-per-minute": 3 } });
  const forge = (index: number): Promise<Response> =>
    askFrom(pool, `198.51.100.${index}`, { forwarded: `for=198.51.100.${index}`, "x-real-ip": "1.1.1.1" });
  const statuses = [];
  for (let index = 0; index < 5; index += 1) statuses.push((await forge(index)).status);
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  expect(await pool.requestLogged(({ status }) => status === 429)).toMatchObject({ address: "127.0.0.1" });
});

it("believes what a trusted proxy added, and not what the client wrote in front of it", async () => {
  await using pool = await startPool({ flags: { "ip-per-minute": 1, "trust-proxy": "127.0.0.0/8" } });
  expect((await askFrom(pool, "1.1.1.1, 198.51.100.7")).status).toBe(200);
  expect((await askFrom(pool, "2.2.2.2, 198.51.100.7")).status).toBe(429);
  const forwarded = (header: string): Promise<Response> => ask(pool.url, { headers: { forwarded: header } });
  expect((await forwarded('for=3.3.3.3, for="[2001:db8::1]:99"')).status).toBe(200);
  expect((await forwarded('for=4.4.4.4, for="[2001:db8::2]"')).status).toBe(429);
});

it("limits no caller with an auth key, and no address on the list of those allowed", async () => {
  await using pool = await startPool({
    flags: {
      "ip-per-minute": 1,
      "ip-per-hour": 2,
      "auth-key": "alice=secret-of-alice",
      "trust-proxy": "loopback",
      "ip-allow": "203.0.113.0/24",
    },
  });
  const asAlice = (): Promise<Response> =>
    askFrom(pool, "198.51.100.7", { "x-goog-api-key": "secret-of-alice" });
  expect(await statusesOf(times(20, asAlice))).toEqual(times(20, () => 200));
  expect(await statusesOf(times(20, () => askFrom(pool, "203.0.113.9")))).toEqual(times(20, () => 200));
  expect(await statusesOf(times(4, () => askFrom(pool, "198.51.100.7")))).toEqual([200, 403, 403, 429]);
  expect((await asAlice()).status).toBe(200);
});

it("takes other limits over while it runs, and keeps what was counted", async () => {
  await using pool = await startPool({
    flags: { workers: 1, "ip-per-minute": 3, "auth-key": "alice=secret-of-alice" },
  });
  for (let time = 0; time < 3; time += 1) expect((await ask(pool.url)).status).toBe(200);
  expect((await ask(pool.url)).status).toBe(429);
  const poll = { timeout: 8_000, interval: 20 };
  const { ip } = pool.config;
  pool.gateway.reconfigure({ ...pool.config, ip: { ...ip, perMinute: 1_000 } });
  await expect.poll(async () => (await ask(pool.url)).status, poll).toBe(200);
  const asAlice = { headers: { "x-goog-api-key": "secret-of-alice" } };
  expect((await ask(pool.url, asAlice)).status).toBe(200);
  // Without her auth key she is one more caller of an address that has asked enough.
  pool.gateway.reconfigure({ ...pool.config, authKey: [], ip: { ...ip, perMinute: 1 } });
  await expect.poll(async () => (await ask(pool.url, asAlice)).status, poll).toBe(429);
});
