/** Interactions belong to the project that began them: whole, streamed, in the background, resumed, continued, cancelled. */
import { expect, it } from "vitest";
import { asked, made, type Json } from "./harness/owned-things.ts";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool, PoolOptions } from "./harness/pool.ts";
import { eventsOf, MODEL } from "./harness/requests.ts";

const PROJECTS = fiveProjects(2);

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: PROJECTS, ...options });
}

function create(body: Json): { method: "POST"; path: string; body: Json } {
  return { method: "POST", path: "/v1/interactions", body: { model: MODEL, input: "hi", ...body } };
}

/** Begins a stream and reads until an event that satisfies the predicate; the rest is left unread. */
async function readUntil(
  url: string,
  body: Json,
  wanted: string,
): Promise<AsyncDisposable & { event: Json }> {
  const { method, path, body: json } = create({ ...body, stream: true });
  const leaving = new AbortController();
  const response = await fetch(url + path, {
    method,
    headers: { "x-goog-api-key": "client", "content-type": "application/json" },
    body: JSON.stringify(json),
    signal: leaving.signal,
  });
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString("utf8");
    const event = dataOf(text).find(({ event_type: type }) => type === wanted);
    if (event !== undefined)
      return {
        event,
        [Symbol.asyncDispose]: async () => {
          leaving.abort();
          await response.body?.cancel().catch(() => {});
        },
      };
  }
  throw new Error(`no ${wanted} in ${text}`);
}

/** Events of this dialect have a line of their type before their data. */
function dataOf(text: string): Json[] {
  return eventsOf(text.replaceAll(/^event: .*\n/gm, "").replaceAll("data: [DONE]\n\n", "")) as Json[];
}

it("by the id in the first event of a stream that still runs, from any thread", async () => {
  const pool = await poolWith();
  for (let round = 0; round < 10; round += 1) {
    const input = "stream 50 events every 20 ms";
    await using stream = await readUntil(pool.url, { input }, "interaction.created");
    const { id } = stream.event["interaction"] as { id: string };
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => asked(pool.url, { method: "GET", path: `/v1/interactions/${id}` })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  expect(pool.emulator.calls.total).toBe(50);
});

it("streamed to many at once, to each its own: a beginning waits until its id is known everywhere", async () => {
  const pool = await poolWith();
  const inputs = Array.from({ length: 40 }, (_, index) => `question number ${index + 100}`);
  const answers = await Promise.all(inputs.map((input) => asked(pool.url, create({ input, stream: true }))));
  const idIn = (event: Json | undefined): unknown => (event?.["interaction"] as Json | undefined)?.["id"];
  const ids = answers.map(({ text }) => idIn(dataOf(text)[0]));
  const lastIds = answers.map(({ text }) => idIn(dataOf(text).at(-1)));
  expect(new Set(ids).size).toBe(inputs.length);
  expect(lastIds).toEqual(ids);
});

/** Begins one in the background, which is not done yet; gives its path. */
async function beginInBackground(pool: Pool): Promise<string> {
  const { id } = await made(pool.url, create({ background: true }));
  const path = `/v1/interactions/${String(id)}`;
  expect((await made(pool.url, { method: "GET", path }))["status"]).toBe("in_progress");
  return path;
}

async function deletes(pool: Pool, path: string): Promise<void> {
  await made(pool.url, { method: "DELETE", path });
  expect((await asked(pool.url, { method: "GET", path })).status).toBe(404);
}

it("in the background: polled, cancelled, deleted", async () => {
  const pool = await poolWith();
  for (let round = 0; round < 5; round += 1) {
    const path = await beginInBackground(pool);
    expect((await made(pool.url, { method: "POST", path: `${path}/cancel` }))["status"]).toBe("cancelled");
    await deletes(pool, path);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  await pool.endsInBalance();
});

it("in the background: streamed, and again from an event on", async () => {
  const pool = await poolWith();
  for (let round = 0; round < 5; round += 1) {
    const path = await beginInBackground(pool);
    const events = dataOf((await asked(pool.url, { method: "GET", path: `${path}?stream=true` })).text);
    const after = String(events[1]?.["event_id"]);
    const resumed = `${path}?stream=true&last_event_id=${after}`;
    const rest = await asked(pool.url, { method: "GET", path: resumed });
    expect(dataOf(rest.text)).toEqual(events.slice(2));
    expect((await made(pool.url, { method: "GET", path }))["status"]).toBe("completed");
    await deletes(pool, path);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
});

it.each([true, false])("with the token that asks for more, streamed: %s", async (stream) => {
  const pool = await poolWith();
  for (let round = 0; round < 5; round += 1) {
    const { text, json } = await asked(pool.url, create({ input: "continue 2 times", stream }));
    const first = stream ? (dataOf(text).at(-1)?.["interaction"] as Json) : json;
    const { text: more, status } = await asked(
      pool.url,
      create({
        input: "continue 2 times",
        stream,
        continuation_token: first["continuation_token"],
        previous_interaction_id: first["id"],
      }),
    );
    expect([status, more.includes("error")]).toEqual([200, false]);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
});

it("fails over unseen when a stream begins with an error", async () => {
  const pool = await poolWith();
  pool.emulator.fault({ fault: { kind: "late-error-event", afterEvents: 0, error: "overloaded" }, times: 1 });
  const { text, status } = await asked(pool.url, create({ stream: true }));
  expect(status).toBe(200);
  expect(dataOf(text)[0]?.["event_type"]).toBe("interaction.created");
  expect(dataOf(text).map(({ event_type: type }) => type)).not.toContain("error");
  expect(pool.emulator.calls.total).toBe(2);
});

it("is told in its own words when its owner cannot serve, and when to come back", async () => {
  const pool = await poolWith();
  const { id } = await made(pool.url, create({}));
  const owner = pool.emulator.ownerOf(`interactions/${String(id)}`) ?? "";
  const fault = { kind: "error", error: "quota-minute", retryDelaySeconds: 17 } as const;
  pool.emulator.fault({ match: { project: owner }, fault });
  const calls = pool.emulator.calls.total;
  const more = create({ previous_interaction_id: id });
  const askedAt = performance.now();
  const { status, json, headers } = await asked(pool.url, more);
  const elapsedSeconds = (performance.now() - askedAt) / 1_000;
  expect(status).toBe(429);
  expect(json["error"]).toEqual({
    code: "rate_limit_exceeded",
    message: expect.stringMatching(
      `Named: interactions/${String(id)}\\. It may work in \\d+ s\\.$`,
    ) as string,
  });
  // As its header said and a second more, less what has passed since: on a busy machine that counts.
  const retryAfterSeconds = Number(headers.get("retry-after"));
  expect(retryAfterSeconds).toBeLessThanOrEqual(18);
  expect(retryAfterSeconds).toBeGreaterThanOrEqual(18 - elapsedSeconds);
  expect(Number(headers.get("retry-after-ms"))).toBeGreaterThan(0);
  // Asked once: nobody else can see it, and the quota is known now.
  expect((await asked(pool.url, more)).status).toBe(429);
  expect(pool.emulator.calls.total).toBe(calls + 1);
});
