import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBody } from "./resources/read-body.ts";
import { bodyChoice, MODEL_NAME_LENGTH_MAX, modelInBody, routeRequest, type Route } from "./route.ts";

function route(method: string, url: string, pathPrefix?: string): Partial<Route> | undefined {
  return routeRequest(method, url, pathPrefix === undefined ? undefined : { pathPrefix });
}

describe("native routes", () => {
  it("knows a generation on every version", () => {
    for (const version of ["v1", "v1beta", "v1alpha"] as const) {
      const path = `/${version}/models/gemini-2.5-flash:generateContent`;
      expect(route("POST", path)).toEqual({
        version,
        surface: "native",
        operation: "generateContent",
        model: "gemini-2.5-flash",
        modelInBody: false,
        answer: "unary",
        generates: true,
        below: "/models/gemini-2.5-flash:generateContent",
        isUpload: false,
        tells: "generation",
        resource: undefined,
        upstreamPath: path,
      });
    }
  });

  it("streams as events with alt=sse, else as an array", () => {
    const path = "/v1beta/models/m:streamGenerateContent";
    expect(route("POST", `${path}?alt=sse`)).toMatchObject({ answer: "sse", generates: true });
    expect(route("POST", `${path}?$alt=sse`)).toMatchObject({ answer: "sse" });
    expect(route("POST", `${path}?alt=json`)).toMatchObject({ answer: "json-array", generates: true });
    expect(route("POST", path)).toMatchObject({ answer: "json-array" });
  });

  it("expects nothing generated where the caller masks the answer or wants another format", () => {
    const path = "/v1beta/models/m:generateContent";
    for (const query of ["fields=usageMetadata", "%24fields=a", "alt=proto", "callback=f"]) {
      expect(route("POST", `${path}?${query}`)).toMatchObject({ generates: false });
    }
  });

  it.each([
    ["POST", "/v1/models/m:countTokens", "countTokens", "m"],
    ["POST", "/v1/models/m:batchEmbedContents", "batchEmbedContents", "m"],
    ["POST", "/v1beta/models/m:batchGenerateContent", "batchGenerateContent", "m"],
    ["POST", "/v1beta/models/m:predictLongRunning", "predictLongRunning", "m"],
    ["POST", "/v1beta/models/m:newVerb", "other", "m"],
    ["POST", "/v1beta/tunedModels/mine:generateContent", "generateContent", "tunedModels/mine"],
    ["POST", "/v1beta/models/a%2Db:generateContent", "generateContent", "a-b"],
    ["GET", "/v1/models?pageSize=5", "models.list", undefined],
    ["GET", "/v1/models/m", "models.get", "m"],
    ["GET", "/v1beta/models/m:generateContent", "other", "m"],
    ["GET", "/v1beta/files", "other", undefined],
  ])("%s %s is %s", (method, url, operation, model) => {
    expect(route(method, url)).toMatchObject({ operation, model, surface: "native" });
  });

  it.each([
    ["GET", "/v1beta/files/abc", "files/abc"],
    ["GET", "/v1beta/files/abc:download?alt=media", "files/abc"],
    ["GET", "/download/v1beta/files/abc:download?alt=media", "files/abc"],
    ["POST", "/v1beta/batches/b1:cancel", "batches/b1"],
    ["GET", "/v1beta/fileSearchStores/s1/documents/d1", "fileSearchStores/s1"],
    ["POST", "/upload/v1beta/fileSearchStores/s1:uploadToFileSearchStore", "fileSearchStores/s1"],
    ["GET", "/v1beta/models/veo/operations/op1", "models/veo/operations/op1"],
    ["GET", "/v1beta/openai/batches/batches%2Fb1", "batches/b1"],
    ["GET", "/v1beta/openai/files/file-1/content", "files/file-1"],
    ["GET", "/v1/interactions/v1_abc?stream=false", "interactions/v1_abc"],
    ["POST", "/v1beta/files:register", undefined],
    ["GET", "/v1beta/cachedContents", undefined],
    ["GET", "/v1beta/models/m", undefined],
  ])("%s %s is bound to %s", (method, url, resource) => {
    expect(route(method, url)).toMatchObject({ resource });
  });
});

describe("compatible routes", () => {
  it.each([
    "/v1beta/openai/chat/completions",
    "/openai/v1/chat/completions",
    "/openai/chat/completions",
    "/v1/openai/chat/completions",
    "/v1beta/openai/v1/chat/completions",
    "/v1/chat/completions",
    "/v1beta/chat/completions",
    "//v1beta//openai//chat/completions",
  ])("%s is a chat completion", (url) => {
    expect(route("POST", url)).toEqual({
      version: "v1beta",
      surface: "openai",
      operation: "chat.completions",
      model: undefined,
      modelInBody: true,
      answer: "by-body",
      generates: true,
      below: "/openai/chat/completions",
      isUpload: false,
      tells: "none",
      resource: undefined,
      upstreamPath: "/v1beta/openai/chat/completions",
    });
  });

  it.each([
    ["POST", "/v1/embeddings", "embeddings", "/v1beta/openai/embeddings"],
    ["POST", "/v1/images/generations", "images.generations", "/v1beta/openai/images/generations"],
    ["GET", "/openai/v1/models", "openai.models.list", "/v1beta/openai/models"],
    ["GET", "/v1beta/openai/models/gemini-x", "openai.models.get", "/v1beta/openai/models/gemini-x"],
    ["POST", "/v1beta/openai/responses", "other", "/v1beta/openai/responses"],
  ])("%s %s is %s", (method, url, operation, upstreamPath) => {
    expect(route(method, url)).toMatchObject({ surface: "openai", operation, upstreamPath });
  });

  it("takes Google's native spelling as it is", () => {
    const expected = {
      operation: "chat.completions",
      modelInBody: true,
      upstreamPath: "/v1beta:chatCompletions",
    };
    expect(route("POST", "/v1beta:chatCompletions")).toMatchObject(expected);
  });

  it("names the model once, however often its prefix is given", () => {
    expect(route("GET", "/v1beta/openai/models/models%2Fgemini-x")).toMatchObject({ model: "gemini-x" });
  });

  it("leaves GET /v1/models to the native list", () => {
    expect(route("GET", "/v1/models")).toMatchObject({ surface: "native", upstreamPath: "/v1/models" });
  });
});

describe("interactions", () => {
  it.each([
    ["POST", "/v1/interactions", "interactions.create", "by-body", true],
    ["GET", "/v1/interactions/i1", "interactions.get", "unary", false],
    ["GET", "/v1/interactions/i1?stream=true", "interactions.get", "sse", false],
    ["POST", "/v1/interactions/i1/cancel", "interactions.cancel", "unary", false],
    ["DELETE", "/v1/interactions/i1", "interactions.delete", "unary", false],
    ["GET", "/v1beta/agents", "other", "unary", false],
  ])("%s %s is %s", (method, url, operation, answer, inBody) => {
    const expected = { surface: "interactions", operation, answer, modelInBody: inBody, generates: false };
    expect(route(method, url)).toMatchObject(expected);
  });
});

describe("what is no route", () => {
  it.each([
    "/",
    "/v1",
    "/v2/models",
    "/v1betamax/models",
    "/healthz",
    "/chat/completions",
    "*",
    "http://example.com/v1/models",
    "/v1/models/../files",
    "/v1/models/%2e%2E/files",
    "/v1/models%2F..%2Ffiles",
    "/v1/./models",
    "/v1/models/a\\b",
    "/v1/models/a%5Cb",
    "/v1/models/a%0d%0ab",
    "/v1/models/a b",
    "/v1/models/%zz",
    "/v1/models#x",
    "/v1%2Fmodels",
    `/v1/models/${"m".repeat(MODEL_NAME_LENGTH_MAX + 1)}`,
  ])("%j", (url) => {
    expect(route("GET", url)).toBeUndefined();
  });
});

describe("path prefix", () => {
  it("comes off, with or without doubled slashes", () => {
    expect(route("GET", "/gw/v1/models", "/gw")?.upstreamPath).toBe("/v1/models");
    expect(route("GET", "/gw//v1/models", "/gw/")?.upstreamPath).toBe("/v1/models");
  });

  it("is required in full", () => {
    expect(route("GET", "/v1/models", "/gw")).toBeUndefined();
    expect(route("GET", "/gwx/v1/models", "/gw")).toBeUndefined();
  });
});

describe("query", () => {
  it.each([
    ["key=test-key-1", ""],
    ["alt=sse&key=test-key-1", "?alt=sse"],
    ["key=test-key-1&alt=sse", "?alt=sse"],
    ["a=%20+1&KEY=test-key-1&&b", "?a=%20+1&&b"],
    ["k%65y=test-key-1&pageToken=a%3D%3D", "?pageToken=a%3D%3D"],
    ["$key=test-key-1&%24access_token=test-key-1&oauth_token=test-key-1", ""],
    ["alt=sse?key=test-key-1", "?alt=sse"],
    ["keys=1&monkey=2", "?keys=1&monkey=2"],
    ["userProject=other&x=1", "?x=1"],
  ])("%s goes upstream as %j", (query, expected) => {
    expect(route("GET", `/v1/models?${query}`)?.upstreamPath).toBe(`/v1/models${expected}`);
  });
});

describe("any request line", () => {
  const anyUrl = fc.oneof(
    fc.string(),
    fc.webUrl({ withQueryParameters: true }).map((url) => new URL(url).pathname),
    fc
      .array(
        fc.oneof(
          fc.constantFrom(
            "/",
            "//",
            "v1",
            "v1beta",
            "openai",
            "models",
            "..",
            "%2e",
            "%2F",
            "?",
            "&",
            "key=K",
            ":x",
          ),
          fc.string({ maxLength: 4 }),
        ),
      )
      .map((parts) => `/${parts.join("")}`),
  );

  it("never throws, and what it lets through names one path for everybody", () => {
    fc.assert(
      fc.property(fc.constantFrom("GET", "POST", "PATCH"), anyUrl, (method, url) => {
        const routed = routeRequest(method, url);
        if (routed === undefined) return;
        expect(routed.upstreamPath).toMatch(/^\/(?:(?:up|down)load\/)?v1(?:beta|alpha)?[/:]/);
        const [path = ""] = routed.upstreamPath.split("?");
        expect(path).not.toContain("//");
        // A URL parser finds nothing to normalise: no dot segments, no backslashes.
        const parsed = new URL(`http://upstream${path}`).pathname;
        expect(decodeURIComponent(parsed)).toBe(decodeURIComponent(path));
      }),
      { numRuns: 500 },
    );
  });

  it("never lets a credential through, wherever it stands in the query", () => {
    const secret = "FAKE-SECRET-FAKE";
    const name = fc.constantFrom(
      "key",
      "KEY",
      "k%65y",
      "$key",
      "%24key",
      "access_token",
      "oauth_token",
      "Access_Token",
    );
    const other = fc.webQueryParameters();
    fc.assert(
      fc.property(name, other, other, fc.constantFrom("&", "?"), (credential, before, after, separator) => {
        const query = `${before}${separator}${credential}=${secret}&${after}`;
        const routed = routeRequest("GET", `/v1beta/models?${query}`);
        expect(routed?.upstreamPath ?? "").not.toContain(secret);
      }),
    );
  });

  it("keeps every other parameter byte for byte", () => {
    const safe = fc
      .webQueryParameters()
      .filter((query) => !/[?&=]|^$/.test(query) && !/key|token|project/i.test(query));
    fc.assert(
      fc.property(fc.array(safe, { minLength: 1, maxLength: 5 }), (values) => {
        const query = values.map((value, index) => `p${index}=${value}`).join("&");
        const withKey = routeRequest("GET", `/v1beta/models?${query}&key=test-key-1`);
        expect(withKey?.upstreamPath).toBe(`/v1beta/models?${query}`);
      }),
    );
  });
});

describe("modelInBody", () => {
  const read = (body: unknown): object =>
    modelInBody(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)));

  it("reads model and stream", () => {
    expect(read({ model: "models/gemini-x", stream: true })).toEqual({ model: "gemini-x", stream: true });
    expect(read({ model: "gemini-x" })).toEqual({ model: "gemini-x", stream: false });
    expect(read({ agent: "deep-research" })).toEqual({ model: "deep-research", stream: false });
  });

  it("has no opinion on what is not such a body", () => {
    for (const body of ["", "{", "null", "[]", '{"model":7,"stream":"true"}', { model: "m".repeat(201) }]) {
      expect(read(body)).toEqual({ model: undefined, stream: false });
    }
  });

  it("says what a reading without a parse says", () => {
    const name = fc.oneof(
      fc.constantFrom("models/gemini-x", "gemini-x", "m".repeat(201), ""),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.record({ model: name, agent: name, stream: fc.jsonValue() }, { requiredKeys: [] }),
        (body) => {
          const bytes = Buffer.from(JSON.stringify(body));
          expect(bodyChoice(readBody(bytes))).toEqual(modelInBody(bytes));
        },
      ),
    );
  });
});
