import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { addClient, guardOf } from "./harness/guard.ts";
import { type Pool, startPool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

const DENIED = { anonymous: "denied" } as const;
const POLL = { timeout: 8_000, interval: 20 };

async function statusWith(pool: Pool, secret: string, model = MODEL): Promise<number> {
  const path = `/v1beta/models/${model}:generateContent`;
  const answer = await ask(pool.url, { path, headers: { "x-goog-api-key": secret, connection: "close" } });
  await answer.arrayBuffer();
  return answer.status;
}

it("lets a client in by its secret at once, and no longer once it is revoked; over a restart too", async () => {
  await using pool = await startPool({ flags: DENIED });
  expect(await statusWith(pool, "secret-of-alice")).toBe(401);
  const secret = await addClient(pool, "alice");
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(200);
  expect(await pool.requestLogged(({ status }) => status === 200)).toMatchObject({ client: "alice" });
  await pool.restart();
  expect(await statusWith(pool, secret)).toBe(200);
  expect(await guardOf(pool).revokeClients({ names: ["alice", "bob"] })).toEqual({
    revoked: ["alice"],
    unknown: ["bob"],
  });
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(401);
  await pool.restart();
  expect(await statusWith(pool, secret)).toBe(401);
});

it("lets exactly as many requests of a client pass a minute as it may, over all workers", async () => {
  await using pool = await startPool({ flags: { ...DENIED, workers: 4 } });
  const secret = await addClient(pool, "alice", { limits: { requestsPerMinute: 20 } });
  await addClient(pool, "bob", { limits: { requestsPerDay: 3 } });
  await expect.poll(() => statusWith(pool, "secret-of-bob"), POLL).toBe(200);
  const statuses = await Promise.all(Array.from({ length: 30 }, () => statusWith(pool, secret)));
  expect(statuses.filter((status) => status === 200)).toHaveLength(20);
  expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  expect([await statusWith(pool, "secret-of-bob"), await statusWith(pool, "secret-of-bob")]).toEqual([
    200, 200,
  ]);
  const refused = await ask(pool.url, { headers: { "x-goog-api-key": "secret-of-bob" } });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(86_000);
  expect(await refused.json()).toMatchObject({ error: { status: "RESOURCE_EXHAUSTED" } });
});

it("remembers over a restart what a client used of its day", async () => {
  await using pool = await startPool({ flags: DENIED });
  const secret = await addClient(pool, "alice", { limits: { requestsPerDay: 3, requestsPerMinute: 3 } });
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(200);
  expect(await statusWith(pool, secret)).toBe(200);
  await pool.restart();
  expect([await statusWith(pool, secret), await statusWith(pool, secret)]).toEqual([200, 429]);
});

it("charges tokens at the end of a request, and refuses the next one while they are overdrawn", async () => {
  await using pool = await startPool({ flags: DENIED });
  const secret = await addClient(pool, "alice", { limits: { tokensPerMinute: 1 } });
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(200);
  await pool.requestLogged(({ status, totalTokens }) => status === 200 && totalTokens > 0);
  const refused = await ask(pool.url, { headers: { "x-goog-api-key": secret } });
  expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining("as many tokens")]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
});

it("holds the number of requests in progress, and gives a place back when a request ends or its client leaves", async () => {
  await using pool = await startPool({ flags: DENIED });
  const secret = await addClient(pool, "alice", { limits: { concurrency: 2 } });
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(200);
  pool.emulator.fault({
    match: { operation: "streamGenerateContent" },
    fault: { kind: "stall", afterEvents: 1 },
  });
  const leaving = new AbortController();
  const path = `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`;
  const streams = [leaving.signal, AbortSignal.timeout(60_000)].map((signal) =>
    ask(pool.url, { path, signal, headers: { "x-goog-api-key": secret } }),
  );
  const opened = await Promise.all(streams);
  expect(opened.map(({ status }) => status)).toEqual([200, 200]);
  expect(await statusWith(pool, secret)).toBe(429);
  leaving.abort();
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(200);
});

it("keeps a client to its models, named in the path or in the body", async () => {
  await using pool = await startPool({ flags: DENIED });
  const secret = await addClient(pool, "alice", { models: ["gemini-2.5-flash", "gemini-2.5-flash-lite*"] });
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(200);
  expect(await statusWith(pool, secret, "gemini-2.5-pro")).toBe(403);
  const chat = (model: string): Promise<Response> =>
    ask(pool.url, {
      path: "/v1beta/openai/chat/completions",
      headers: { authorization: `Bearer ${secret}`, "x-goog-api-key": "" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
    });
  expect((await chat("gemini-2.5-flash")).status).toBe(200);
  const refused = await chat("gemini-2.5-pro");
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject([{ error: { status: "PERMISSION_DENIED" } }]);
  expect(pool.emulator.calls.recent().every(({ path }) => !path.includes("pro"))).toBe(true);
});

it("lets no client in that has expired", async () => {
  await using pool = await startPool({ flags: DENIED });
  const secret = await addClient(pool, "alice", { expiresInMs: 1 });
  await expect
    .poll(async () => (await ask(pool.url, { headers: { "x-goog-api-key": secret } })).text(), POLL)
    .toContain("has expired");
  expect(await statusWith(pool, secret)).toBe(401);
});

it("neither stores nor logs a secret, nor gives a name twice", async () => {
  await using pool = await startPool({ flags: DENIED });
  const secret = await addClient(pool, "alice");
  await expect.poll(() => statusWith(pool, secret), POLL).toBe(200);
  await expect(addClient(pool, "alice")).rejects.toThrow("There is an auth key named alice already.");
  await expect(addClient(pool, "anonymous")).rejects.toThrow("The name of a client");
  const listed = await guardOf(pool).listClients();
  await pool.gateway.stop();
  const stored = await readFile(pool.config.database, "latin1");
  for (const place of [stored, pool.logLines.join(""), JSON.stringify(listed)])
    expect(place).not.toContain(secret);
  expect(stored).toContain("alice");
});
