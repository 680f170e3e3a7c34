import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutModelPage, modelPageOf, type ModelPage } from "./model-pages.ts";

function pageOf(query: string): ModelPage | undefined {
  return modelPageOf({ operation: "models.list", upstreamPath: `/v1beta/models${query}` });
}

function listOf(names: readonly string[], nextPageToken?: string): Buffer {
  return Buffer.from(
    JSON.stringify({ models: names.map((name) => ({ name: `models/${name}` })), nextPageToken }),
  );
}

interface Listed {
  readonly models: readonly { readonly name: string }[];
  readonly nextPageToken?: string;
}

function cut(body: Buffer, query: string): Listed {
  const page = pageOf(query);
  if (page === undefined) throw new Error(`${query} is not understood`);
  return JSON.parse(String(cutModelPage(body, page) ?? body)) as Listed;
}

/** Follows the tokens to the end, the n-th page taken from the n-th list (the last one for all that follow). */
function walk(lists: readonly Buffer[], size: number): string[] {
  const names: string[] = [];
  let token: string | undefined = "";
  for (let page = 0; token !== undefined; page += 1) {
    const body = lists[Math.min(page, lists.length - 1)] ?? Buffer.alloc(0);
    const listed: Listed = cut(body, `?pageSize=${size}&pageToken=${token}`);
    names.push(...listed.models.map(({ name }) => name.slice("models/".length)));
    token = listed.nextPageToken;
  }
  return names;
}

describe("the page asked for", () => {
  it.each([
    ["", 50, "?pageSize=1000"],
    ["?pageSize=5", 5, "?pageSize=1000"],
    ["?page_size=0", 50, "?pageSize=1000"],
    ["?pageSize=5000&prettyPrint=false", 1000, "?prettyPrint=false&pageSize=1000"],
    ["?a=%20&page%53ize=7&&pageToken=", 7, "?a=%20&pageSize=1000"],
  ])("%j has %i models, and the whole list is fetched", (query, size, upstream) => {
    expect(pageOf(query)).toEqual({ size, after: undefined, upstreamPath: `/v1beta/models${upstream}` });
  });

  it.each(["?pageSize=-1", "?pageSize=many", "?pageToken=Google's", "?fields=models.name", "?alt=proto"])(
    "%s is the upstream's to judge",
    (query) => {
      expect(pageOf(query)).toBeUndefined();
    },
  );

  it("is only a matter of the native list", () => {
    expect(
      modelPageOf({ operation: "openai.models.list", upstreamPath: "/v1beta/openai/models" }),
    ).toBeUndefined();
  });
});

describe("the page cut", () => {
  it("is the upstream's answer itself when that is no longer", () => {
    const first = pageOf("?pageSize=2") as ModelPage;
    expect(cutModelPage(listOf(["a", "b"]), first)).toBeUndefined();
    expect(cutModelPage(Buffer.from('{"error":{}}'), first)).toBeUndefined();
    expect(cutModelPage(Buffer.from("<html>"), first)).toBeUndefined();
    expect(cutModelPage(Buffer.from("null"), first)).toBeUndefined();
  });

  it("goes on after the last model shown, also in the list of a project that sees others", () => {
    const lists = [listOf(["a", "b", "c", "d"]), listOf(["x", "a", "b", "c", "d"])];
    expect(walk(lists, 2)).toEqual(["a", "b", "c", "d"]);
  });

  it("goes on by position where the last model shown is not in the list", () => {
    expect(walk([listOf(["a", "b", "c", "d"]), listOf(["a", "c", "d"])], 2)).toEqual(["a", "b", "d"]);
  });

  it("hands on Google's own token at the end of what was fetched", () => {
    const body = listOf(["a", "b", "c"], "more");
    const { nextPageToken } = cut(body, "?pageSize=2");
    expect(cut(body, `?pageSize=2&pageToken=${nextPageToken}`)).toMatchObject({ nextPageToken: "more" });
  });

  it("shows every model once, whatever the size", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9.-]{1,40}$/), { maxLength: 120 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 130 }), (all, size) => {
        expect(walk([listOf(all)], size)).toEqual(all);
      }),
    );
  });

  it("takes no other text for a token of its own", () => {
    const texts = fc.oneof(fc.string({ minLength: 1 }), fc.base64String({ minLength: 1 }));
    fc.assert(
      fc.property(texts, (token) => {
        expect(pageOf(`?pageToken=${encodeURIComponent(token)}`)).toBeUndefined();
      }),
    );
  });
});
