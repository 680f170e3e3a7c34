import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

/** Tests as fast as they can be, so that a test of them has nothing to wait for. */
const FAST = {
  probe: "auto",
  models: MODEL,
  "probing-after-failure": "1s",
  "probing-after-refusal": "1s",
  "probing-after-forbidden": "1s",
  "probing-after-network-fault": "1s",
};

it("a dead key that works again comes back by a test, and no request is spent on finding out", async () => {
  await using pool = await startPool({
    projects: [{ name: "only", keys: ["test-key-1"], keyStates: { "test-key-1": "invalid" } }],
    flags: FAST,
  });
  expect((await ask(pool.url)).status).toBe(503);
  await pool.emulator.waitForCall(({ operation, status }) => operation === "models.list" && status === 400);
  expect((await ask(pool.url)).status).toBe(503);
  pool.emulator.setKeyState("test-key-1", "ok");
  await pool.emulator.waitForCall(
    ({ operation, status, phase }) => operation === "models.list" && status === 200 && phase === "done",
  );
  await expect.poll(async () => (await ask(pool.url)).status).toBe(200);
  const generations = pool.emulator.calls.recent().filter(({ operation }) => operation === "generateContent");
  expect(generations.map(({ status }) => status)).toEqual([400, 200]);
});
