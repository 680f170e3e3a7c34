/** Requests that name a resource get a key of the project that made it: on any thread, after a restart, and never another. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AffinityScene } from "./harness/affinity-scene.ts";

const evidence = { httpStatus: 503, reason: "test", message: "" };
/** Eight projects of one key each, so that chance does not find the owner. */
const LABELS = Object.fromEntries(
  Array.from({ length: 8 }, (_, index) => [`test-key-${index}`, `p${index}`]),
);

let folder: string;
let database: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "affinity-"));
  database = join(folder, "gateway.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("sends what one thread learnt to its owner from every thread, also after a restart", async () => {
  const names = ["files/a", "uploads/secret-of-an-upload", "interactions/v1_x"];
  let owner = 0;
  {
    await using scene = new AffinityScene(database);
    const ids = scene.addKeys(LABELS);
    owner = ids[5] as number;
    const [one, other] = [scene.thread(), scene.thread()];
    expect((await other.seek({ resources: ["files/a"] })).owner).toEqual({
      isKnown: false,
      resources: [],
      detail: undefined,
    });
    await one.learn(names.map((name) => ({ name, keyId: owner, detail: `detail of ${name.slice(0, 7)}` })));
    for (const thread of [one, other]) {
      for (const name of names) {
        const { keyId, owner: told } = await thread.seek({ resources: ["files/unheard-of", name] });
        expect(keyId).toBe(owner);
        expect(told).toEqual({ isKnown: true, resources: [name], detail: `detail of ${name.slice(0, 7)}` });
      }
    }
    // Another model, which the project was never tried on.
    expect((await one.seek({ model: "never-tried", resources: ["files/a"] })).keyId).toBe(owner);
    expect(scene.affinity.counts.unsaved).toBe(3);
  }
  expect(readFileSync(database, "latin1")).toContain("interactions/v1_x");
  expect(readFileSync(database, "latin1")).not.toContain("secret-of-an-upload");
  await using scene = new AffinityScene(database);
  const thread = scene.thread();
  for (const name of names) expect((await thread.seek({ resources: [name] })).keyId).toBe(owner);
  expect(scene.affinity.counts).toEqual({ known: 3, unsaved: 0 });
  expect(scene.affinity.countOf(owner)).toBe(3);
  await thread.learn([], names);
  for (const name of names) expect((await thread.seek({ resources: [name] })).owner?.isKnown).toBe(false);
});

it("never lends a key that cannot see all that is named, and says what they are", async () => {
  await using scene = new AffinityScene(database);
  const [first = 0, second = 0] = scene.addKeys(LABELS);
  const thread = scene.thread();
  await thread.learn([
    { name: "files/a", keyId: first },
    { name: "files/b", keyId: second },
  ]);
  const differ = await thread.seek({ resources: ["files/a", "files/unheard-of", "files/b"], waitMs: 5_000 });
  expect(differ).toMatchObject({
    denial: { reason: "owners-differ", scope: "owner" },
    owner: { isKnown: true, resources: ["files/a", "files/b"] },
  });
  scene.retire(second);
  const gone = await thread.seek({ resources: ["files/a", "files/b"] });
  expect(gone).toMatchObject({
    denial: { reason: "owner-gone", scope: "owner" },
    owner: { isKnown: true, resources: ["files/b"] },
  });
  scene.scheduler.setEnabled(first, false, Date.now());
  expect((await thread.seek({ resources: ["files/a"] })).denial?.reason).toBe("owner-gone");
  scene.scheduler.setEnabled(first, true, Date.now());
  expect((await thread.seek({ resources: ["files/a"] })).keyId).toBe(first);
});

it("lets any key of the project stand in for one that is gone, however the project came to be known", async () => {
  await using scene = new AffinityScene(database);
  const [labelled = 0, , lone = 0, later = 0, unlabelled = 0, number = 0] = scene.addKeys({
    "test-key-1": "team",
    "test-key-2": "team",
    "test-key-3": null,
    "test-key-4": null,
    "test-key-5": null,
    "test-key-6": null,
  });
  const thread = scene.thread();
  await thread.learn([
    { name: "files/of-label", keyId: labelled },
    { name: "files/of-lone", keyId: lone },
    { name: "files/of-later", keyId: later },
    { name: "files/of-number", keyId: unlabelled },
  ]);
  scene.retire(labelled);
  expect((await thread.seek({ resources: ["files/of-label"] })).keyId).toBe(labelled + 1);
  // Siblings that are recognised only after the resource was made.
  scene.nameProject(later, "411082643095");
  scene.nameProject(number, "411082643095");
  scene.retire(later);
  expect((await thread.seek({ resources: ["files/of-later"] })).keyId).toBe(number);
  // The project gets a name of the operator's, and has Google's number all the same.
  scene.nameProject(unlabelled, "411082643095");
  scene.relabel(number, "named-late");
  scene.retire(unlabelled);
  expect((await thread.seek({ resources: ["files/of-number"] })).keyId).toBe(number);
  scene.retire(lone);
  expect((await thread.seek({ resources: ["files/of-lone"] })).denial?.reason).toBe("owner-gone");
});

it("waits for its project to return when that is soon, and else says when", async () => {
  await using scene = new AffinityScene(database);
  const [owner = 0] = scene.addKeys(LABELS);
  const thread = scene.thread();
  await thread.learn([{ name: "files/a", keyId: owner }]);
  const resources = ["files/a"];
  const outcome = { kind: "quota-minute", retryAfterMs: 1, evidence } as const;
  const refused = await thread.seek({ resources, outcome });
  expect(refused.keyId).toBe(owner);
  const denied = await thread.seek({ resources });
  expect(denied.denial).toMatchObject({ reason: "quota", scope: "owner" });
  expect(denied.denial?.retryAtMs).toBeGreaterThan(Date.now());
  expect(denied.owner?.resources).toEqual(resources);
  expect((await thread.seek()).keyId).not.toBe(owner);
  // Its rest is a second.
  const waited = await thread.seek({ resources, tried: [owner], waitMs: 10_000 });
  expect(waited.keyId).toBe(owner);
});

it("stays with a project it prefers, without asking when the pocket holds a use of it", async () => {
  await using scene = new AffinityScene(database);
  const [preference = 0, other = 0] = scene.addKeys(LABELS);
  const thread = scene.thread();
  const asked = async (times: number): Promise<(number | undefined)[]> => {
    const answers = await Promise.all(Array.from({ length: times }, () => thread.seek({ preference })));
    return answers.map(({ keyId }) => keyId);
  };
  expect(await asked(4)).toEqual([preference, preference, preference, preference]);
  // Load fills the pocket with uses of every project.
  for (let round = 0; round < 6; round += 1)
    await Promise.all(Array.from({ length: 32 }, () => thread.seek()));
  const before = scene.wishMessages;
  let withoutAsking = 0;
  for (let request = 0; request < 20; request += 1) {
    const wishes = scene.wishMessages;
    expect((await thread.seek({ preference })).keyId).toBe(preference);
    if (scene.wishMessages === wishes) withoutAsking += 1;
  }
  expect(withoutAsking).toBeGreaterThan(0);
  expect(scene.wishMessages - before).toBeLessThanOrEqual(20);
  const outcome = { kind: "quota-minute", retryAfterMs: 60_000, evidence } as const;
  await thread.seek({ preference, outcome });
  expect((await thread.seek({ preference })).keyId).not.toBe(preference);
  expect((await thread.seek({ preference: other })).keyId).toBe(other);
});
