import type { Outcome } from "@gemini-gateway/core/outcome";
import { DEFAULT_SCHEDULER_OPTIONS } from "@gemini-gateway/core/scheduler/options";
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import { KeyRing } from "./key-ring.ts";
import { Siblings } from "./siblings.ts";
import type { LearntProjectRow } from "./store/rows.ts";

let scheduler: Scheduler;
let lines: string[];
let stored: LearntProjectRow[];
let isFull: boolean;
let nowMs: number;
let siblings: Siblings;

beforeEach(() => {
  [lines, stored, isFull, nowMs] = [[], [], false, 1_000_000];
  scheduler = new Scheduler(DEFAULT_SCHEDULER_OPTIONS, () => 0.5);
  const learnProjects = (rows: readonly LearntProjectRow[]): void => {
    if (isFull) throw new Error("disk full");
    stored.push(...rows);
  };
  const ring = new KeyRing();
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  siblings = new Siblings({ scheduler, ring, store: { keys: { learnProjects } }, log, now: () => nowMs });
  ring.add([1, 2, 3].map((id) => ({ id, secret: `test-key-${id}`, fingerprint: `k-${id}` })));
});

/** Adds the three keys as files and database have them. */
function know(keys: Readonly<Record<number, { label?: string; learnt?: string }>>): void {
  const rows = Object.entries(keys).map(([id, { label = null, learnt = null }]) => ({
    id: Number(id),
    label,
    learnt,
  }));
  scheduler.addKeys(rows.map(({ id, label, learnt }) => ({ id, project: label ?? learnt ?? undefined })));
  siblings.know(rows);
}

/** A refusal that names the project. */
function refusedIn(consumer: string): Outcome {
  return { kind: "billing", evidence: { httpStatus: 429, reason: "test", message: "", consumer } };
}

function projects(): (string | undefined)[] {
  return [1, 2, 3].map((id) => scheduler.keyView(id, nowMs)?.project);
}

function warnings(): Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

it("joins keys by the project that answers name, and warns once, by fingerprints", () => {
  know({ 1: {}, 2: {}, 3: {} });
  for (const id of [1, 2, 1, 3]) siblings.heard(id, refusedIn("411"));
  expect(projects()).toEqual(["411", "411", "411"]);
  expect(warnings()).toMatchObject([{ project: "411", keys: ["k-1", "k-2"] }]);
  expect(lines.join("")).not.toContain("test-key");
});

it("puts keys without a label under the label of a sibling, whichever is known first", () => {
  know({ 1: { learnt: "411" }, 2: { label: "mine", learnt: "411" }, 3: { learnt: "411" } });
  expect(projects()).toEqual(["mine", "mine", "mine"]);
});

it("keeps different labels of one project, and says that they share a quota", () => {
  know({ 1: { label: "a" }, 2: { label: "b" }, 3: {} });
  siblings.heard(1, refusedIn("411"));
  siblings.heard(2, refusedIn("411"));
  expect(projects().slice(0, 2)).toEqual(["a", "b"]);
  expect(warnings()).toMatchObject([{ project: "411", labels: ["a", "b"], keys: ["k-1", "k-2"] }]);
});

it("keeps one label of several projects, and says that they rest together", () => {
  know({ 1: { label: "a" }, 2: { label: "a" }, 3: {} });
  siblings.heard(1, refusedIn("411"));
  siblings.heard(2, refusedIn("412"));
  expect(projects().slice(0, 2)).toEqual(["a", "a"]);
  expect(warnings()).toMatchObject([{ label: "a", projects: ["411", "412"] }]);
});

it("says nothing of siblings that the operator has put under one label", () => {
  know({ 1: { label: "a", learnt: "411" }, 2: { label: "a", learnt: "411" }, 3: {} });
  expect(warnings()).toEqual([]);
});

it("stores what it learnt, also when the database could not be written at first", () => {
  know({ 1: {}, 2: {}, 3: {} });
  siblings.heard(1, refusedIn("411"));
  isFull = true;
  siblings.write();
  expect(stored).toEqual([]);
  isFull = false;
  siblings.write();
  expect(stored).toEqual([]);
  nowMs += 60_000;
  siblings.write();
  siblings.write();
  expect(stored).toEqual([{ id: 1, project: "411" }]);
});

it("forgets keys that are gone", () => {
  know({ 1: {}, 2: {}, 3: {} });
  siblings.heard(1, refusedIn("411"));
  siblings.forget([1]);
  siblings.heard(2, refusedIn("411"));
  expect(warnings()).toEqual([]);
});
