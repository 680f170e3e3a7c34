/** A conversation goes on with the project that served it, for its implicit cache and its signatures, while that can serve. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import { asked } from "./harness/owned-things.ts";
import type { Pool, PoolOptions } from "./harness/pool.ts";
import { AUTH, conversationsOf, GENERATE, projectsOf, STREAM, Talk } from "./harness/talk.ts";

const PROJECTS = fiveProjects(2);

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: PROJECTS, ...options });
}

it("turn by turn, whatever else is asked in between, so that its signatures are good", async () => {
  const pool = await poolWith({ foreignSignatures: "refused", flags: AUTH });
  const talks = Array.from({ length: 12 }, (_, index) => new Talk(pool, `talk ${index}`));
  for (let turn = 0; turn < 4; turn += 1) {
    const path = turn % 2 === 0 ? GENERATE : STREAM;
    const statuses = await Promise.all(talks.map((talk) => talk.goOn(path)));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
  expect(new Set(projectsOf(pool)).size).toBe(PROJECTS.length);
  expect([pool.emulator.calls.foreignTokens, pool.emulator.calls.foreignHits]).toEqual([0, 0]);
  expect(pool.emulator.calls.total).toBe(48);
  expect(await conversationsOf(pool)).toEqual({ kept: 36, moved: 0 });
  await pool.endsInBalance();
});

it("and moves when that cannot serve, is counted, and stays where it went", async () => {
  const pool = await poolWith({ flags: AUTH });
  const talk = new Talk(pool, "a talk");
  await talk.goOn();
  await talk.goOn();
  const [first = ""] = projectsOf(pool);
  expect(projectsOf(pool)).toEqual([first, first]);
  const undo = pool.emulator.fault({
    match: { project: first },
    fault: { kind: "error", error: "quota-minute" },
  });
  expect(await talk.goOn()).toBe(200);
  const second = projectsOf(pool).at(-1) ?? "";
  expect(second).not.toBe(first);
  undo();
  expect(await talk.goOn()).toBe(200);
  expect(await talk.goOn()).toBe(200);
  expect(projectsOf(pool)).toEqual([first, first, first, second, second, second]);
  expect(await conversationsOf(pool)).toEqual({ kept: 3, moved: 1 });
  const metrics = await (
    await fetch(`${pool.url}/metrics`, { headers: { "x-goog-api-key": "secret-of-test" } })
  ).text();
  expect(metrics).toContain('gemini_gateway_conversation_requests_total{project="moved"} 1');
});

it("by the name that the client gives it, which goes no further", async () => {
  const pool = await poolWith({ flags: { "affinity-session-header": "X-Talk" } });
  const named = { "x-talk": "talk-of-test" };
  for (let count = 0; count < 12; count += 1)
    // Each begins anew: nothing but the name holds them together.
    await new Talk(pool, `opening ${count}`, named).goOn();
  expect(new Set(projectsOf(pool)).size).toBe(1);
  for (const { headers } of pool.emulator.calls.recent())
    expect(headers.join(" ").toLowerCase()).not.toContain("talk-of-test");
  for (let count = 0; count < 12; count += 1) await new Talk(pool, `opening ${count}`).goOn();
  expect(new Set(projectsOf(pool)).size).toBeGreaterThan(1);
});

it("unless that is switched off", async () => {
  const pool = await poolWith({ flags: { "affinity-conversations": 0 } });
  const talk = new Talk(pool, "a talk");
  for (let turn = 0; turn < 12; turn += 1) expect(await talk.goOn()).toBe(200);
  expect(new Set(projectsOf(pool)).size).toBeGreaterThan(1);
});

it("and is searched for by its signatures when it is not remembered", async () => {
  const pool = await poolWith({ foreignSignatures: "refused" });
  const talk = new Talk(pool, "a talk");
  await talk.goOn();
  await talk.goOn();
  const [owner = ""] = projectsOf(pool);
  await pool.gateway.stop();
  const database = new Database(pool.config.database);
  database.exec("DELETE FROM conversations");
  database.close();
  await pool.start();
  expect(await talk.goOn()).toBe(200);
  expect(projectsOf(pool).at(-1)).toBe(owner);
  expect(pool.emulator.calls.total).toBeLessThanOrEqual(2 + PROJECTS.length);
  const calls = pool.emulator.calls.total;
  expect(await talk.goOn()).toBe(200);
  expect([projectsOf(pool).at(-1), pool.emulator.calls.total]).toEqual([owner, calls + 1]);
});

it("and waits for that project where no other takes its signatures, or is told when it may come back", async () => {
  const pool = await poolWith({ foreignSignatures: "refused", flags: { "lease-max-wait": "10s" } });
  const talk = new Talk(pool, "a talk");
  await talk.goOn();
  const [owner = ""] = projectsOf(pool);
  const match = { project: owner };
  // It rests for two seconds, for which a request waits; then for half a minute, for which none does.
  for (const [retryDelaySeconds, expected] of [
    [1, 200],
    [30, 429],
  ] as const) {
    pool.emulator.fault({
      match,
      fault: { kind: "error", error: "quota-minute", retryDelaySeconds },
      times: 1,
    });
    expect(await talk.goOn()).toBe(expected);
  }
  expect(projectsOf(pool).filter((project) => project === owner).length).toBe(4);
});

it("a session that a client names follows what binds its requests, uploads included", async () => {
  const pool = await poolWith();
  const upload = async (session: string): Promise<string> => {
    const response = await fetch(`${pool.url}/upload/v1beta/files`, {
      method: "POST",
      headers: {
        "x-goog-api-key": "client",
        "x-goog-upload-protocol": "multipart",
        "content-type": "multipart/related; boundary=b",
        "x-gateway-session": session,
      },
      body: '--b\r\ncontent-type: application/json\r\n\r\n{"file":{}}\r\n--b\r\ncontent-type: text/plain\r\n\r\nhi\r\n--b--',
    });
    const { file } = (await response.json()) as { file: { name: string } };
    return file.name;
  };
  const first = await upload("maker");
  const owner = pool.emulator.ownerOf(first);
  // Bound by the file that it names, and the first request of its session.
  const read = { method: "GET", path: `/v1beta/${first}` } as const;
  expect((await asked(pool.url, read, { "x-gateway-session": "reader" })).status).toBe(200);
  for (const session of ["maker", "reader", "maker", "reader"])
    expect(pool.emulator.ownerOf(await upload(session))).toBe(owner);
});
