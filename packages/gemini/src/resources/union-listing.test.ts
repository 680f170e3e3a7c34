import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ListPage, pageAfter, readListPage, writeListPage } from "./list-body.ts";
import { CURSOR_LENGTH_MAX, decodeCursor, encodeCursor, type ListPosition } from "./list-cursor.ts";
import { listQuery, readListRequest } from "./list-request.ts";
import { type ListRoute, listRouteOf } from "./list-route.ts";
import { UnionListing } from "./union-listing.ts";

function routeAt(below: string): ListRoute {
  const route = listRouteOf("GET", below);
  if (route === undefined) throw new Error(`no list: ${below}`);
  return route;
}

const FILES = routeAt("/files");

/** What each project owns: item names, in its own order. */
type Owned = ReadonlyMap<string, readonly string[]>;

/** A project's answer: tokens say where a page begins. */
function answer(names: readonly string[], pageToken: string, pageSize: number): ListPage {
  const start = pageToken === "" ? 0 : Number(pageToken.slice(1));
  const end = Math.min(names.length, start + pageSize);
  const items = names.slice(start, end).map((name) => ({ name }));
  return { items, nextToken: end < names.length ? `t${end}` : "" };
}

interface Listed {
  readonly names: string[];
  readonly next: ListPosition | undefined;
  readonly failed: readonly string[];
  readonly calls: number;
}

interface Behaviour {
  readonly atOnce: number;
  /** Items in a page of projects that do not care how many they are asked for. */
  readonly pageSize?: number | undefined;
  readonly broken?: string;
}

function listPage(owned: Owned, size: number, from: ListPosition | undefined, behaviour: Behaviour): Listed {
  const listing = new UnionListing(FILES, [...owned.keys()], size, from, 1000);
  let calls = 0;
  while (!listing.isDone) {
    // The last asked answers first: the order of answers must not matter.
    for (const { project, pageToken, pageSize } of listing.wants(behaviour.atOnce).toReversed()) {
      calls += 1;
      if (project === behaviour.broken) listing.fail(project);
      else listing.take(project, answer(owned.get(project) ?? [], pageToken, behaviour.pageSize ?? pageSize));
    }
  }
  const { items, next, failed } = listing.page();
  return { names: items.map(({ name }) => String(name)), next, failed, calls };
}

const ownership = fc
  .dictionary(fc.stringMatching(/^p\d{1,2}$/), fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 25 })), {
    maxKeys: 8,
  })
  .map(
    (counts): Owned =>
      new Map(
        Object.entries(counts).map(([project, count]) => [
          project,
          Array.from({ length: count }, (_, index) => `${project}-${index}`),
        ]),
      ),
  );
const behaviours = fc.record({
  atOnce: fc.integer({ min: 1, max: 4 }),
  pageSize: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
});
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 30 })), {
  minLength: 1,
  maxLength: 8,
});

describe("a list over several projects", () => {
  it("shows everything once, in one order, whatever the pages", () => {
    fc.assert(
      fc.property(ownership, sizes, behaviours, (owned, pageSizes, behaviour) => {
        const all = [...owned.keys()].toSorted().flatMap((project) => owned.get(project) ?? []);
        const shown: string[] = [];
        let position: ListPosition | undefined;
        for (let page = 0; page <= all.length; page += 1) {
          const size = pageSizes[page % pageSizes.length] ?? 1;
          const listed = listPage(owned, size, position, behaviour);
          expect(listed.names.length).toBeLessThanOrEqual(size);
          const isShort = listed.names.length < size;
          const isEmpty = page > 0 && listed.names.length === 0;
          expect([isShort && listed.next !== undefined, isEmpty]).toEqual([false, false]);
          shown.push(...listed.names);
          if (listed.next === undefined) break;
          const cursor = encodeCursor(FILES, listed.next) ?? "";
          const decoded = decodeCursor(FILES, cursor);
          expect(decoded).toEqual({ kind: "position", position: listed.next });
          position = listed.next;
        }
        expect(shown).toEqual(all);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves out a project that fails, names it, and goes on behind it", () => {
    const owned: Owned = new Map([
      ["a", ["a1"]],
      ["b", ["b1"]],
      ["c", ["c1"]],
    ]);
    expect(listPage(owned, 5, undefined, { atOnce: 2, broken: "b" })).toMatchObject({
      names: ["a1", "c1"],
      failed: ["b"],
      next: undefined,
    });
  });

  it("makes one call for a page that one project fills", () => {
    const owned: Owned = new Map([
      ["a", Array.from({ length: 50 }, (_, index) => `a${index}`)],
      ["b", ["b1"]],
    ]);
    expect(listPage(owned, 10, undefined, { atOnce: 1 }).calls).toBe(1);
  });

  it("goes on with the next project when the one of the cursor is gone", () => {
    const owned: Owned = new Map([
      ["a", ["a1"]],
      ["c", ["c1"]],
    ]);
    expect(listPage(owned, 5, { project: "b", pageToken: "t7", skip: 2 }, { atOnce: 1 }).names).toEqual([
      "c1",
    ]);
  });

  it("ends a page early rather than calling without end", () => {
    const projects = Array.from({ length: 20 }, (_, index) => `p${index + 10}`);
    const listing = new UnionListing(FILES, projects, 5, undefined, 3);
    while (!listing.isDone)
      for (const { project } of listing.wants(2)) listing.take(project, { items: [], nextToken: "" });
    expect(listing.page()).toEqual({
      items: [],
      next: { project: "p13", pageToken: "", skip: 0 },
      failed: [],
    });
  });

  it("lists what every project has once", () => {
    const voices = routeAt("/voices");
    const listing = new UnionListing(voices, ["a", "b"], 10, undefined, 10);
    const prebuilt = { id: "Puck", type: "prebuilt" };
    while (!listing.isDone)
      for (const { project } of listing.wants(1))
        listing.take(project, {
          items: [prebuilt, { id: `voice_${project}`, type: "prompted" }],
          nextToken: "",
        });
    expect(listing.page().items.map(({ id }) => id)).toEqual(["Puck", "voice_a", "voice_b"]);
  });
});

describe("cursors", () => {
  const position = { project: "project-1", pageToken: "Ci/+=", skip: 3 };

  it("come back as they were, for their list only", () => {
    const cursor = encodeCursor(FILES, position) ?? "";
    expect(cursor).toMatch(/^union1\.[\w-]+$/);
    expect(decodeCursor(FILES, cursor)).toEqual({ kind: "position", position });
    expect(decodeCursor(routeAt("/batches"), cursor)).toMatchObject({ kind: "refused", why: /another list/ });
    expect(decodeCursor(routeAt("/openai/files"), cursor)).toMatchObject({ kind: "refused" });
  });

  it("are refused when anything was changed, and never throw", () => {
    const cursor = encodeCursor(FILES, position) ?? "";
    fc.assert(
      fc.property(
        fc.nat({ max: cursor.length - 1 }),
        fc.constantFrom("A", "B", "z", "0", "9", "-", "_", "."),
        (at, other) => {
          const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
          const decoded = decodeCursor(FILES, changed);
          // The last character of base64 may hold bits that mean nothing.
          const kind = changed === cursor || at === cursor.length - 1 ? decoded.kind : "refused";
          expect(decoded.kind).toBe(kind);
        },
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => decodeCursor(FILES, text).kind === "refused"));
    fc.assert(
      fc.property(fc.base64String(), (text) => decodeCursor(FILES, `union1.${text}`).kind === "refused"),
    );
  });

  it("say when they would be too long", () => {
    expect(encodeCursor(FILES, { ...position, pageToken: "x".repeat(CURSOR_LENGTH_MAX) })).toBeUndefined();
  });
});

describe("requests for lists", () => {
  it.each(["/files", "/cachedContents", "/batches", "/fileSearchStores", "/agents", "/openai/batches"])(
    "%s",
    (below) => {
      expect(listRouteOf("GET", below)).toBeDefined();
      expect(listRouteOf("POST", below)).toBeUndefined();
    },
  );

  it.each([
    "/fileSearchStores/s/documents",
    "/files/f",
    "/models",
    "/interactions",
    "/triggers/t/executions",
  ])("%s is none to be united", (below) => {
    expect(listRouteOf("GET", below)).toBeUndefined();
  });

  it("are read and asked of a project in the dialect's words", () => {
    expect(readListRequest(FILES, "pageSize=2&filter=a%20b&pageToken=x%2By")).toEqual({
      size: 2,
      token: "x+y",
      rest: "filter=a%20b",
    });
    expect(readListRequest(FILES, "page_size=1000")).toMatchObject({ size: 100 });
    expect(readListRequest(FILES, "")).toEqual({ size: 10, token: "", rest: "" });
    expect(readListRequest(FILES, "pageSize=-1")).toBeUndefined();
    expect(readListRequest(FILES, "fields=files.name")).toBeUndefined();
    expect(listQuery(FILES, "filter=a%20b", 5, "x+y")).toBe("filter=a%20b&pageSize=5&pageToken=x%2By");
    const batches = routeAt("/openai/batches");
    expect(readListRequest(batches, "limit=3&after=batches%2Fb1")).toEqual({
      size: 3,
      token: "batches/b1",
      rest: "",
    });
    expect(listQuery(batches, "", 3, "batches/b1")).toBe("limit=3&after=batches%2Fb1");
  });
});

describe("pages of lists", () => {
  const page = (route: ListRoute, value: unknown): ListPage | undefined =>
    readListPage(route, Buffer.from(JSON.stringify(value)));
  const written = (route: ListRoute, items: readonly Record<string, unknown>[], next: string): unknown =>
    JSON.parse(writeListPage(route, items, next).toString());

  it("native", () => {
    const files = [{ name: "files/a" }];
    expect(page(FILES, { files, nextPageToken: "t" })).toEqual({ items: files, nextToken: "t" });
    expect(page(FILES, {})).toEqual({ items: [], nextToken: "" });
    expect(written(FILES, files, "t")).toEqual({ files, nextPageToken: "t" });
    expect(written(FILES, [], "")).toEqual({});
    expect(written(routeAt("/batches"), files, "")).toEqual({ operations: files });
    expect(readListPage(FILES, Buffer.from("<html>"))).toBeUndefined();
  });

  it("of the newer family", () => {
    expect(page(routeAt("/agents"), { agents: [{ id: "a" }], next_page_token: "t" })?.nextToken).toBe("t");
    expect(written(routeAt("/agents"), [{ id: "a" }], "t")).toEqual({
      agents: [{ id: "a" }],
      next_page_token: "t",
    });
  });

  it("OpenAI's, without what stands before the item that it follows", () => {
    const route = routeAt("/openai/files");
    const items = [{ id: "a" }, { id: "b" }, { id: "c" }];
    const after = (id: string): unknown => pageAfter(route, { items, nextToken: "" }, id).items;
    expect(after("b")).toEqual([{ id: "c" }]);
    expect(after("c")).toEqual([]);
    for (const id of ["", "gone"]) expect(after(id)).toEqual(items);
    expect(
      pageAfter(FILES, { items: [{ name: "t" }, { name: "u" }], nextToken: "" }, "t").items,
    ).toHaveLength(2);
  });

  it("OpenAI's", () => {
    const route = routeAt("/openai/files");
    const data = [{ id: "files/a" }, { id: "files/b" }];
    expect(page(route, { object: "list", data, has_more: true })).toEqual({
      items: data,
      nextToken: "files/b",
    });
    expect(page(route, { object: "list", data, has_more: false })?.nextToken).toBe("");
    expect(written(route, data, "x")).toEqual({
      object: "list",
      data,
      first_id: "files/a",
      last_id: "files/b",
      has_more: true,
    });
  });
});
