import { nextPacificMidnightMs } from "@gemini-gateway/gemini/pacific-midnight";
import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

it("keeps over a restart which keys are dead and which projects rest until midnight", async () => {
  await using pool = await startPool({
    projects: [
      { name: "spent", keys: ["test-key-spent"], quotas: { "*": { rpd: 1 } } },
      { name: "dead", keys: ["test-key-dead"], keyStates: { "test-key-dead": "leaked" } },
      { name: "good", keys: ["test-key-good"] },
    ],
  });
  // The pool gets to know every key: each is asked for the model sooner or later.
  const { calls } = pool.emulator;
  for (
    let tries = 0;
    tries < 60 && (calls.byKey("test-key-spent") < 2 || calls.byKey("test-key-dead") < 1);
    tries += 1
  ) {
    expect((await ask(pool.url)).status).toBe(200);
  }
  expect([calls.byKey("test-key-spent"), calls.byKey("test-key-dead")]).toEqual([2, 1]);

  await pool.restart();
  calls.reset();
  for (let more = 0; more < 20; more += 1) expect((await ask(pool.url)).status).toBe(200);
  expect(calls.byKey("test-key-good")).toBe(20);
  const lanes = [1, 2, 3].flatMap((id) => pool.gateway.scheduler.keyView(id, Date.now())?.lanes ?? []);
  const resting = lanes.find(({ state }) => state.kind === "quota-day");
  expect(resting?.state).toMatchObject({ untilMs: nextPacificMidnightMs(Date.now()) });
});
