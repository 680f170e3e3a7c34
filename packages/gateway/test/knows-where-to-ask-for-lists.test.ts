/** Which projects a list is asked of: all of a small pool, of a large one those that hold something, each once, in order. */
import type { KeyId } from "@gemini-gateway/core/lease";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ProjectsTold } from "../src/affinity/project-messages.ts";
import { AffinityScene } from "./harness/affinity-scene.ts";

let folder: string;
let database: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lists-"));
  database = join(folder, "gateway.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Keys by turns of as many projects. */
function labels(keys: number, projects: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: keys }, (_, index) => [`test-key-${index}`, `p${index % projects}`]),
  );
}

function tell(scene: AffinityScene, from: string, collection = "files", ownerOf = ""): ProjectsTold {
  return scene.affinity.projects.tell({ type: "projects.ask", id: 1, collection, from, ownerOf });
}

function learn(scene: AffinityScene, names: readonly string[], keyIds: readonly KeyId[]): void {
  const entries = names.map((name, index) => ({ name, keyId: keyIds[index % keyIds.length] as KeyId }));
  scene.affinity.hear({ type: "resource.learnt", id: 1, entries, forgotten: [] });
}

/** Follows the windows as a list does: each page asks `max` projects and goes on with the one after them. */
function follow(scene: AffinityScene, max: number, collection = "files"): ProjectsTold["projects"][number][] {
  const met: ProjectsTold["projects"][number][] = [];
  let from = "";
  for (;;) {
    const { projects } = tell(scene, from, collection);
    expect(projects.length).toBeLessThanOrEqual(max + 1);
    met.push(...projects.slice(0, max));
    const next = projects[max];
    if (next === undefined) return met;
    from = next.id;
  }
}

it("tells all of a small pool, by the same ids after a restart", async () => {
  let before: ProjectsTold;
  {
    await using scene = new AffinityScene(database);
    const ids = scene.addKeys(labels(6, 3));
    scene.scheduler.setEnabled(ids[0] as KeyId, false, Date.now());
    before = tell(scene, "");
    expect(before.projects.map(({ keyId }) => keyId)).toEqual([ids[1], ids[2], ids[3]]);
    const second = before.projects[1]?.id ?? "";
    expect(tell(scene, second).projects).toEqual(before.projects.slice(1));
    learn(scene, ["files/f"], [ids[5] as KeyId]);
    expect(tell(scene, "", "files", "files/f")).toMatchObject({ owner: second });
    expect(tell(scene, "", "files", "files/unheard-of").owner).toBeUndefined();
    scene.scheduler.setEnabled(ids[3] as KeyId, false, Date.now());
    expect(tell(scene, "").projects).toEqual(before.projects.slice(0, 2));
    scene.scheduler.setEnabled(ids[3] as KeyId, true, Date.now());
  }
  await using scene = new AffinityScene(database);
  // That a key was disabled is kept by whoever reads the store, which this scene does without.
  expect(tell(scene, "").projects.slice(1)).toEqual(before.projects.slice(0, 2));
});

it("tells the holders of a large pool, each project once, however they are told and written", async () => {
  await using scene = new AffinityScene(database, { listProjects: 4 });
  const ids = scene.addKeys(labels(120, 40));
  const holding = ids.filter((_, index) => index % 7 === 0 || index === 41);
  const half = Math.floor(holding.length / 2);
  learn(
    scene,
    Array.from({ length: 60 }, (_, index) => `files/saved-${index}`),
    holding.slice(half),
  );
  learn(scene, ["cachedContents/c"], [ids[2] as KeyId]);
  scene.affinity.tick();
  expect(scene.affinity.counts.unsaved).toBe(0);
  learn(
    scene,
    Array.from({ length: 30 }, (_, index) => `files/unsaved-${index}`),
    holding.slice(0, half),
  );
  const met = follow(scene, 4);
  const projectOf = (id: KeyId): unknown => scene.scheduler.owners.projectIdOf(id);
  expect(met.map(({ id }) => id)).toEqual(met.map(({ id }) => id).toSorted((a, b) => (a < b ? -1 : 1)));
  expect(new Set(met.map(({ keyId }) => projectOf(keyId)))).toEqual(new Set(holding.map(projectOf)));
  scene.affinity.tick();
  const saved = follow(scene, 4).map(({ keyId }) => projectOf(keyId));
  expect(saved).toHaveLength(new Set(saved).size);
  expect(new Set(saved)).toEqual(new Set(holding.map(projectOf)));
  expect(follow(scene, 4, "cachedContents").map(({ keyId }) => projectOf(keyId))).toEqual([
    projectOf(ids[2] as KeyId),
  ]);
  expect(tell(scene, "", "batches")).toMatchObject({ projects: [], isEmptyPool: false });
  const name = "files/saved-0";
  const { owner } = tell(scene, "", "files", name);
  expect(saved).toContain(projectOf(Number(owner?.slice(0, 12))));
});

it("lets another key of the project stand in for a holder that is gone", async () => {
  await using scene = new AffinityScene(database, { listProjects: 2 });
  const ids = scene.addKeys(labels(12, 4));
  learn(scene, ["files/f"], [ids[0] as KeyId]);
  scene.retire(ids[0] as KeyId);
  const { projects } = tell(scene, "");
  expect(projects.map(({ keyId }) => keyId)).toEqual([ids[4]]);
  for (const index of [4, 8]) scene.retire(ids[index] as KeyId);
  expect(tell(scene, "").projects).toEqual([]);
});

it("says that there is nobody to ask, and of models asks a sample", async () => {
  await using scene = new AffinityScene(database, { listProjects: 5 });
  expect(tell(scene, "")).toMatchObject({ projects: [], isEmptyPool: true });
  const ids = scene.addKeys(labels(100, 50));
  const { projects, isEmptyPool } = tell(scene, "", "models");
  expect([projects.length, isEmptyPool]).toEqual([5, false]);
  expect(tell(scene, "", "models").projects).toEqual(projects);
  expect(projects.every(({ keyId }) => ids.includes(keyId))).toBe(true);
});

it("goes on with the project that a list is in, by the id it had, whatever has changed since", async () => {
  await using scene = new AffinityScene(database, { listProjects: 2 });
  const ids = scene.addKeys(labels(12, 4));
  const [, second = 0, third = 0] = ids;
  const sibling = ids[5] as KeyId;
  learn(scene, ["files/1", "files/2", "files/3"], [second, third, ids[3] as KeyId]);
  const [, place] = tell(scene, "").projects;
  // Another key of it holds something too, then the one that gave it its place holds nothing.
  learn(scene, ["files/4"], [ids[6] as KeyId]);
  const message = { type: "resource.learnt", id: 1, entries: [] } as const;
  scene.affinity.hear({ ...message, forgotten: ["files/2"] });
  expect(tell(scene, place?.id ?? "").projects.map(({ id, keyId }) => [id, keyId])).toEqual([
    [place?.id, third],
    [expect.any(String), ids[3]],
  ]);
  // What is seen with another key of the project stays where it was.
  const before = tell(scene, "").projects;
  learn(scene, ["files/1"], [sibling]);
  expect(tell(scene, "").projects).toEqual(before);
  expect(scene.affinity.counts.unsaved).toBe(4);
  for (const key of [third, ids[6] as KeyId, ids[10] as KeyId]) scene.retire(key);
  expect(tell(scene, place?.id ?? "").projects.map(({ keyId }) => keyId)).toEqual([ids[3]]);
});
