import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask, askStream, eventsOf } from "./harness/requests.ts";

it("serves a request with a key of the pool, and nothing of the client's credential goes upstream", async () => {
  await using pool = await startPool();
  const response = await ask(pool.url, { headers: { "x-goog-api-key": "client-secret" } });
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("Hello from project");
  const [call] = pool.emulator.calls.recent();
  expect(call?.key).toMatch(/^test-key-\d$/);
  expect(call?.headers.join("\n")).not.toContain("client-secret");
  const row = await pool.requestLogged();
  expect(row).toMatchObject({ status: 200, outcome: "served", attempts: 1, model: "gemini-2.5-flash" });
  expect(row.totalTokens).toBeGreaterThan(0);
});

it("streams, and logs the tokens of the last event", async () => {
  await using pool = await startPool();
  const response = await askStream(pool.url);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(eventsOf(await response.text()).length).toBeGreaterThan(1);
  expect(await pool.requestLogged()).toMatchObject({ outcome: "served", attempts: 1 });
});

it("goes to the next key before the client sees anything of a dead one", async () => {
  await using pool = await startPool({
    projects: [
      { name: "dead", keys: ["test-key-dead"], state: "denied" },
      { name: "good", keys: ["test-key-good"] },
    ],
  });
  for (let round = 0; round < 4; round += 1) {
    const response = await ask(pool.url);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("project good");
  }
  // Known to be dead after its first failure, it is not asked again.
  expect(pool.emulator.calls.byKey("test-key-dead")).toBeLessThanOrEqual(1);
});
