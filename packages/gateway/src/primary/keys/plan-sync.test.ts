import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type FileEntries,
  type FoundKey,
  type KnownKey,
  planSync,
  sliceChange,
  type SyncPlan,
} from "./plan-sync.ts";
import { finish } from "./steps.ts";

const nothingInDoubt = (): boolean => false;
const plan = (
  known: Map<string, KnownKey>,
  found: Map<string, FoundKey>,
  isInDoubt = nothingInDoubt as never,
): SyncPlan => finish(planSync(known, filesOf(found), isInDoubt));
const NOTHING = {
  add: [],
  restore: [],
  relabel: [],
  retire: [],
  keptInDoubt: 0,
  duplicates: 0,
  conflicts: 0,
};

describe("planning", () => {
  const key = (id: number, changes: Partial<KnownKey> = {}): KnownKey => ({
    id,
    label: null,
    sourceFile: "a",
    isRetired: false,
    ...changes,
  });
  const place = (sourceFile = "a", label: string | null = null): FoundKey => ({ sourceFile, label });

  test("adds, restores, relabels and retires", () => {
    const known = new Map([
      ["same", key(1)],
      ["back", key(2, { isRetired: true })],
      ["moved", key(3)],
      ["labelled", key(4)],
      ["gone", key(5)],
      ["long gone", key(6, { isRetired: true })],
    ]);
    const found = new Map([
      ["same", place()],
      ["back", place("b")],
      ["moved", place("b")],
      ["labelled", place("a", "p")],
      ["new", place("c", "q")],
    ]);
    expect(plan(known, found)).toEqual({
      add: [{ secret: "new", label: "q", sourceFile: "c" }],
      restore: [{ id: 2, label: null, sourceFile: "b" }],
      relabel: [
        { id: 3, label: null, sourceFile: "b" },
        { id: 4, label: "p", sourceFile: "a" },
      ],
      retire: [5],
      keptInDoubt: 0,
      duplicates: 0,
      conflicts: 0,
    });
  });

  test.each([
    ["new", new Map<string, KnownKey>()],
    [
      "known",
      new Map([
        ["test-key-1", key(1)],
        ["test-key-2", key(2)],
      ]),
    ],
  ])("lets the first place of a %s key count, and counts the others", (_, known) => {
    const given = [
      { name: "a", entries: [{ secret: "test-key-1", project: "p" }, { secret: "test-key-2" }] },
      { name: "b", entries: [{ secret: "test-key-1" }, { secret: "test-key-2" }] },
    ];
    const planned = finish(planSync(known, given, nothingInDoubt));
    expect(planned).toMatchObject({ duplicates: 2, conflicts: 1, retire: [] });
    const places = known.size === 0 ? planned.add : planned.relabel;
    expect(places[0]).toMatchObject({ label: "p", sourceFile: "a" });
    expect(places).toHaveLength(known.size === 0 ? 2 : 1);
  });

  test("looks at a bounded number of keys in a step", () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `test-key-${index}`);
    const given = [{ name: "a", entries: names.map((secret) => ({ secret })) }];
    const known = new Map(names.map((secret, index) => [secret, key(index + 1)]));
    expect([...planSync(known, given, nothingInDoubt)].length).toBeGreaterThanOrEqual(20_000 / 500 - 1);
  });

  test("neither retires nor moves a key whose file is in doubt", () => {
    const known = new Map([
      ["missing", key(1)],
      ["elsewhere", key(2, { label: "p" })],
      ["other file", key(3, { sourceFile: "b" })],
    ]);
    const found = new Map([["elsewhere", place("b")]]);
    const planned = finish(planSync(known, filesOf(found), (file) => file === "a"));
    expect(planned).toEqual({ ...NOTHING, retire: [3], keptInDoubt: 1 });
  });

  const knownMaps = fc
    .uniqueArray(
      fc.record({ secret: fc.nat(30), label: labels(), sourceFile: files(), isRetired: fc.boolean() }),
      { selector: ({ secret }) => secret },
    )
    .map(
      (rows) =>
        new Map(
          rows.map((row, index): [string, KnownKey] => [`key ${row.secret}`, { ...row, id: index + 1 }]),
        ),
    );
  const foundMaps = fc
    .array(fc.record({ secret: fc.nat(30), label: labels(), sourceFile: files() }))
    .map((rows) => new Map(rows.map((row): [string, FoundKey] => [`key ${row.secret}`, row])));

  test("an applied plan leaves nothing to do", () => {
    fc.assert(
      fc.property(knownMaps, foundMaps, (known, found) => {
        const after = applied(known, plan(known, found));
        expect(plan(after, found)).toEqual(NOTHING);
        const inUse = [...after].filter(([, { isRetired }]) => !isRetired).map(([secret]) => secret);
        expect(inUse.toSorted()).toEqual([...found.keys()].toSorted());
      }),
    );
  });

  test("nothing is retired when everything is in doubt", () => {
    fc.assert(
      fc.property(knownMaps, foundMaps, (known, found) => {
        expect(finish(planSync(known, filesOf(found), () => true)).retire).toEqual([]);
      }),
    );
  });
});

test("slices hold every row once, keys that come before keys that go", () => {
  const change = {
    add: Array.from({ length: 5 }, (_, index) => ({ secret: `s${index}`, label: null, sourceFile: "a" })),
    restore: [],
    relabel: [{ id: 1, label: null, sourceFile: "a" }],
    retire: [2, 3, 4],
  };
  const sliced = [...sliceChange(change, 2)];
  expect(sliced.map(({ add, relabel, retire }) => [add.length, relabel.length, retire.length])).toEqual([
    [2, 0, 0],
    [2, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 2],
    [0, 0, 1],
  ]);
  expect(sliced.flatMap(({ add }) => add)).toEqual(change.add);
});

/** Files in which the keys stand one after the other. */
function filesOf(found: ReadonlyMap<string, FoundKey>): FileEntries[] {
  return Array.from(found, ([secret, { label, sourceFile }]) => ({
    name: sourceFile,
    entries: [label === null ? { secret } : { secret, project: label }],
  }));
}

function applied(
  known: ReadonlyMap<string, KnownKey>,
  { add, restore, relabel, retire }: SyncPlan,
): Map<string, KnownKey> {
  const places = new Map([...restore, ...relabel].map((row) => [row.id, row]));
  const restored = new Set(restore.map(({ id }) => id));
  const after = new Map(
    [...known].map(([secret, key]): [string, KnownKey] => {
      const isRetired = retire.includes(key.id) || (key.isRetired && !restored.has(key.id));
      return [secret, { ...key, ...places.get(key.id), isRetired }];
    }),
  );
  add.forEach(({ secret, label, sourceFile }, index) => {
    after.set(secret, { id: 1_000 + index, label, sourceFile, isRetired: false });
  });
  return after;
}

function labels(): fc.Arbitrary<string | null> {
  return fc.constantFrom(null, "p", "q");
}

function files(): fc.Arbitrary<string> {
  return fc.constantFrom("a", "b", "c");
}
