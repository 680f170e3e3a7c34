import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

const NUMBER = "411082643095";

/** Two keys of one project that the operator has not labelled; the third belongs elsewhere. */
const PROJECTS = [
  { name: "alpha", number: NUMBER, keys: ["test-key-1", "test-key-2"] },
  { name: "beta", keys: ["test-key-3"] },
];

/** Has every key of alpha refused once, with an error that names its project. */
async function namedByRefusals(keyFile: string) {
  const pool = await startPool({
    projects: PROJECTS,
    keyFile,
    script: [
      { match: { project: "alpha", untilCalls: 1 }, fault: { kind: "error", error: "service-disabled" } },
    ],
    flags: { probe: "off" },
  });
  return pool;
}

it("recognises keys of one project by what Google calls it, warns once, and remembers", async () => {
  await using pool = await namedByRefusals("test-key-1\ntest-key-2\ntest-key-3\n");
  pool.emulator.clearFaults();
  pool.emulator.setProjectState("alpha", "service-disabled");
  for (let asked = 0; asked < 8; asked += 1)
    await (await ask(pool.url, { path: `/v1beta/models/${MODEL}:generateContent` })).arrayBuffer();
  const projects = () => ["test-key-1", "test-key-2"].map((key) => pool.keyView(key).project);
  expect(projects()).toEqual([NUMBER, NUMBER]);
  expect(pool.keyView("test-key-3").project).not.toBe(NUMBER);
  const warnings = pool.logLines.filter((line) => line.includes("share one quota"));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("k-");
  expect(warnings[0]).not.toContain("test-key");
  await pool.restart();
  expect(projects()).toEqual([NUMBER, NUMBER]);
});

it("keeps the operator's label, and puts siblings without one under it", async () => {
  await using pool = await namedByRefusals("test-key-2\n# project: mine\ntest-key-1\n");
  pool.emulator.clearFaults();
  pool.emulator.setProjectState("alpha", "service-disabled");
  for (let asked = 0; asked < 4; asked += 1) await (await ask(pool.url)).arrayBuffer();
  expect(["test-key-1", "test-key-2"].map((key) => pool.keyView(key).project)).toEqual(["mine", "mine"]);
});
