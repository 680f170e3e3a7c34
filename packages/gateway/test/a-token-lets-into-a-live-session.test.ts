/**
 * Ephemeral tokens are for pages and devices that have no other credential. One that was made through the gateway lets
 * its bearer into a Live session, whoever else is kept out; one that the gateway has never seen does not.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import { CONSTRAINED_PATH, LiveClient } from "./harness/live.ts";
import { startPool, type Pool } from "./harness/pool.ts";

const SECRET = "test-team-secret-1";
const PAGE = { origin: "https://app.example" };

let stack = new AsyncDisposableStack();
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

async function guardedPool(): Promise<Pool> {
  const flags = { "auth-key": `team=${SECRET}`, anonymous: "denied" };
  return stack.use(await startPool({ flags }));
}

/** A token for a hundred sessions, made by a caller that the gateway knows. */
async function tokenFrom(url: string, key: string): Promise<string> {
  const made = await fetch(`${url}/v1alpha/auth_tokens`, {
    method: "POST",
    headers: { "x-goog-api-key": key, "content-type": "application/json" },
    body: JSON.stringify({ uses: 100 }),
  });
  expect(made.status).toBe(200);
  return ((await made.json()) as { readonly name: string }).name;
}

function clientWith(pool: Pool, token: string, headers: Readonly<Record<string, string>> = {}): LiveClient {
  return new LiveClient(pool.url, `${CONSTRAINED_PATH}?access_token=${token}`, headers);
}

it("by query or header, from any page, before and after a restart, and no key is lent for it", async () => {
  const pool = await guardedPool();
  const token = await tokenFrom(pool.url, SECRET);
  const owner = pool.emulator.ownerOf(token);
  const talk = async (client: LiveClient): Promise<void> => {
    await client.setUp();
    await client.send({ realtimeInput: { text: "x" } });
    expect(await client.hearsMatch(/project (\w+):/)).toBe(owner);
    client.socket.close();
  };
  await talk(clientWith(pool, token));
  await talk(clientWith(pool, token, PAGE));
  await talk(new LiveClient(pool.url, CONSTRAINED_PATH, { authorization: `Token ${token}` }));
  await pool.restart();
  await talk(clientWith(pool, token));
  const row = await pool.requestLogged(({ path }) => path.includes("Constrained"));
  expect(row).toMatchObject({ outcome: "served", attempts: 0, key: "", client: "anonymous" });
  expect(pool.logLines.join("\n")).not.toContain(token);
  await pool.endsInBalance();
});

it("also when its project cannot serve now: what then comes is the upstream's to say", async () => {
  const pool = await guardedPool();
  const token = await tokenFrom(pool.url, SECRET);
  const owner = pool.emulator.ownerOf(token) ?? "";
  pool.emulator.setProjectState(owner, "suspended");
  for (let tries = 0; tries < 2; tries += 1) {
    const client = clientWith(pool, token);
    await client.send({ setup: { model: "models/gemini-live-2.5-flash-preview" } });
    const { code, reason } = await client.ended;
    expect(code).toBe(1011);
    // No key of the pool was tried, and the upstream's words would name the project's own.
    expect(reason).toMatch(/^No API key of the Google project .* is in service\./);
  }
  await pool.endsInBalance();
});

it("but none that is made up, or made by another way, and nobody without one", async () => {
  const pool = await guardedPool();
  const foreign = await tokenFrom(pool.emulator.url, "test-key-3");
  const calls = pool.emulator.calls.total;
  for (const token of ["auth_tokens/made-up", foreign]) {
    for (const headers of [{}, PAGE]) {
      const refused = await clientWith(pool, token, headers).refused;
      expect(refused.status).toBe(401);
      expect(JSON.parse(refused.body)).toMatchObject({ error: { status: "UNAUTHENTICATED" } });
    }
  }
  const keyless = new LiveClient(pool.url, CONSTRAINED_PATH);
  expect((await keyless.refused).status).toBe(401);
  // A token of the gateway's own lets in where tokens are taken, and nowhere else.
  const token = await tokenFrom(pool.url, SECRET);
  const plain = new LiveClient(
    pool.url,
    CONSTRAINED_PATH.replace("Constrained", "") + `?access_token=${token}`,
  );
  expect((await plain.refused).status).toBe(401);
  expect(pool.emulator.calls.total).toBe(calls + 1);
  expect(await pool.requestLogged(({ reason }) => reason === "unauthenticated")).toMatchObject({
    status: 401,
  });
  await pool.endsInBalance();
});
