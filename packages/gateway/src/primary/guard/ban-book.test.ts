import { type Network, parseNetwork } from "@gemini-gateway/core/network/network";
import { expect, test } from "vitest";
import type { GuardToWorker } from "../../limits/messages.ts";
import type { BanRow } from "../store/ban-table.ts";
import { BanBook } from "./ban-book.ts";

const START_MS = 1_700_000_000_000;

/** A book on a table that can fail, with a clock that is set by hand. */
class Scene {
  nowMs = START_MS;
  isDiskFull = false;
  readonly stored = new Map<string, BanRow>();
  readonly told: GuardToWorker[] = [];
  readonly forgotten: Network[] = [];
  readonly complaints: string[] = [];
  transactions = 0;
  readonly book: BanBook;

  constructor(banMs = Number.POSITIVE_INFINITY, stored: readonly BanRow[] = []) {
    for (const row of stored) this.stored.set(row.network, row);
    this.book = new BanBook({
      table: {
        load: () => [...this.stored.values()],
        change: (save, remove) => this.#change(save, remove),
      },
      log: {
        warn: () => undefined,
        error: (_fields: unknown, text?: string) => void this.complaints.push(text ?? ""),
      },
      banMs: () => banMs,
      now: () => this.nowMs,
      publish: (message) => void this.told.push(message),
      forget: (network) => void this.forgotten.push(network),
    });
  }

  #change(save: readonly BanRow[], remove: readonly string[]): void {
    this.transactions += 1;
    if (this.isDiskFull) throw new Error("SQLITE_FULL");
    for (const network of remove) this.stored.delete(network);
    for (const row of save) this.stored.set(row.network, row);
  }
}

function numbered(index: number): Network {
  const parsed = parseNetwork(`10.${index >>> 16}.${(index >>> 8) & 255}.${index & 255}`);
  if (parsed === undefined) throw new Error("no network");
  return parsed;
}

function operators(text: string, untilMs: number | null = null): BanRow {
  return { network: text, reason: "operator", note: null, sinceMs: START_MS, untilMs };
}

test("a storm of bans goes out in few messages and transactions, each ban once", () => {
  const scene = new Scene();
  for (let index = 0; index < 1_500; index += 1) {
    scene.book.earned(numbered(index));
    scene.book.earned(numbered(index));
  }
  for (let tick = 0; tick < 4; tick += 1) scene.book.tick();
  expect(scene.stored.size).toBe(1_500);
  expect([scene.told.length, scene.transactions]).toEqual([2, 2]);
  expect(scene.book.notices()).toHaveLength(1_500);
});

test("a disk that is full delays the storing and not the ban", () => {
  const scene = new Scene();
  scene.isDiskFull = true;
  scene.book.earned(numbered(1));
  scene.book.tick();
  expect(scene.told).toHaveLength(1);
  expect(scene.complaints).toHaveLength(1);
  for (let tick = 0; tick < 10; tick += 1) scene.book.tick();
  expect(scene.transactions).toBe(1);
  scene.isDiskFull = false;
  scene.nowMs += 5_000;
  scene.book.tick();
  expect([...scene.stored.keys()]).toEqual(["10.0.0.1"]);
});

test("a ban ends at its time: out of the database, the workers' lists and the counts", () => {
  const scene = new Scene(60_000);
  scene.book.earned(numbered(1));
  scene.book.tick();
  scene.nowMs += 59_999;
  scene.book.tick();
  expect(scene.book.size).toBe(1);
  scene.nowMs += 1;
  scene.book.tick();
  expect([scene.book.size, scene.stored.size]).toEqual([0, 0]);
  expect(scene.told.at(-1)).toEqual({ type: "bans.changed", added: [], removed: [numbered(1)] });
  expect(scene.forgotten).toEqual([numbered(1)]);
});

test("what ended while nobody ran ends at once, and what lasts is told to workers that start", () => {
  const scene = new Scene(Number.POSITIVE_INFINITY, [
    operators("10.0.0.1", START_MS - 1),
    operators("10.0.0.0/24"),
    operators("not a network"),
  ]);
  scene.book.tick();
  expect([...scene.stored.keys()]).toEqual(["10.0.0.0/24", "not a network"]);
  expect(scene.book.notices()).toHaveLength(1);
});

test("an operator hears when a ban cannot be stored, and nothing has changed", () => {
  const scene = new Scene();
  scene.isDiskFull = true;
  expect(() => scene.book.add([operators("10.0.0.1")])).toThrow("SQLITE_FULL");
  expect([scene.book.size, scene.told.length]).toEqual([0, 0]);
});

test("a ban that an operator ends before it was stored is not stored after all", () => {
  const scene = new Scene();
  scene.book.earned(numbered(1));
  expect(scene.book.remove(["10.0.0.1", "10.0.0.2"])).toEqual(["10.0.0.1"]);
  scene.book.tick();
  scene.book.flush();
  expect([scene.book.size, scene.stored.size]).toEqual([0, 0]);
  expect(scene.book.notices()).toEqual([]);
});

test("at the end everything is written", () => {
  const scene = new Scene();
  for (let index = 0; index < 2_500; index += 1) scene.book.earned(numbered(index));
  scene.book.flush();
  expect(scene.stored.size).toBe(2_500);
});
