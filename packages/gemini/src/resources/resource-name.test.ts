import { describe, expect, it } from "vitest";
import { authToken, opaqueResource } from "./opaque-name.ts";
import { resourceOfPath, resourcesOfQuery } from "./path-resource.ts";
import { expiryMs } from "./resource-lifetime.ts";
import { mayBePublic, parseResourceName, resourceIn } from "./resource-name.ts";

describe("names of resources", () => {
  it.each<[string, string, string]>([
    ["files/abc", "files/abc", "file"],
    ["cachedContents/x", "cachedContents/x", "cache"],
    ["batches/b1", "batches/b1", "batch"],
    ["models/veo-3/operations/op1", "models/veo-3/operations/op1", "operation"],
    ["operations/o", "operations/o", "operation"],
    ["fileSearchStores/s/documents/d", "fileSearchStores/s", "store"],
    ["fileSearchStores/s/upload/operations/o", "fileSearchStores/s", "store"],
    ["fileSearchStores/s/media/m", "fileSearchStores/s", "store"],
    ["tunedModels/x/operations/o", "tunedModels/x", "tuned-model"],
    ["corpora/c/documents/d/chunks/k", "corpora/c", "corpus"],
    ["generatedFiles/g", "generatedFiles/g", "file"],
    ["triggers/t/executions/e", "triggers/t", "trigger"],
    ["files/environment-e1", "environments/e1", "environment"],
  ])("%s belongs with %s, a %s", (name, root, kind) => {
    expect(parseResourceName(name)).toEqual({ name, root, kind });
  });

  it.each([
    "",
    "files",
    "files/",
    "/files/a",
    "models/m",
    "models/m/operations/",
    "nothing/a",
    "files/a b",
    "files/a?b",
    "files/\u0000",
  ])("%j is none", (name) => {
    expect(parseResourceName(name)).toBeUndefined();
  });

  it("keep to bounds", () => {
    expect(parseResourceName(`files/${"a".repeat(600)}`)).toBeUndefined();
    const deep = parseResourceName(`environments/e/files/${"a/".repeat(1000)}b`);
    expect(deep).toEqual({ name: "environments/e/…", root: "environments/e", kind: "environment" });
  });

  it("are found by bare and by whole ids", () => {
    expect(resourceIn("files", "file-1")?.name).toBe("files/file-1");
    expect(resourceIn("files", "files/a")?.name).toBe("files/a");
    expect(resourceIn("files", "a/b")).toBeUndefined();
  });

  it("say what every project may know", () => {
    const isPublic = (name: string): boolean => {
      const resource = parseResourceName(name);
      return resource !== undefined && mayBePublic(resource);
    };
    expect(["agents/deep-research", "voices/Puck", "voices/voice_1", "files/a"].map(isPublic)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("paths", () => {
  it.each<[string, string | undefined]>([
    ["/files/abc:download", "files/abc"],
    ["/fileSearchStores/s:importFile", "fileSearchStores/s"],
    ["/tunedModels/x:generateContent", "tunedModels/x"],
    ["/tunedModels/x/operations/o", "tunedModels/x"],
    ["/models/m:generateContent", undefined],
    ["/openai/batches/batches/b1/cancel", "batches/b1"],
    ["/openai/files/file-1/content", "files/file-1"],
    ["/openai/videos/models/veo/operations/o", "models/veo/operations/o"],
    ["/openai/videos/v1", "videos/v1"],
    ["/environments/e/files/a/b:c.txt", "environments/e"],
    ["/files", undefined],
    ["/files:register", undefined],
    ["/files/", undefined],
    ["/openai/models/m", undefined],
  ])("%s names %s", (below, root) => {
    expect(resourceOfPath(below)?.root).toBe(root);
  });

  it("are joined by what the query names", () => {
    const [upload, token] = resourcesOfQuery("alt=json&upload_id=a%2Bb&access_token=auth_tokens/deadbeef");
    expect(upload).toEqual(opaqueResource("upload", "a+b"));
    expect(token).toEqual(authToken("auth_tokens/deadbeef"));
    expect(resourcesOfQuery("pageToken=x&key=test-key-1")).toEqual([]);
  });
});

describe("opaque names", () => {
  it("tell tokens apart and never repeat them", () => {
    const names = Array.from(
      { length: 2000 },
      (_, index) => opaqueResource("upload", `token-${index}`)?.name,
    );
    expect(new Set(names).size).toBe(2000);
    expect(names[0]).toMatch(/^uploads\/[\da-f]{32}$/);
    expect(opaqueResource("upload", "x")?.name).not.toBe(opaqueResource("continuation", "x")?.name);
    expect(opaqueResource("upload", "")).toBeUndefined();
  });

  it("stay what they are: they outlive the version that wrote them", () => {
    expect(opaqueResource("upload", "AOCedOGNfObK")?.name).toMatchInlineSnapshot(
      `"uploads/3befa132eaec4a6fa023305daef673b3"`,
    );
  });
});

describe("ends", () => {
  const NOW_MS = Date.UTC(2026, 10, 25);

  it("are what the answer states, else Google's default, else none", () => {
    expect(expiryMs("file", "2026-11-27T00:00:00Z", NOW_MS)).toBe(Date.UTC(2026, 10, 27));
    expect(expiryMs("interaction", undefined, NOW_MS)).toBe(NOW_MS + 55 * 86_400_000);
    expect(expiryMs("file", "never", NOW_MS)).toBe(NOW_MS + 2 * 86_400_000);
    expect(expiryMs("store", undefined, NOW_MS)).toBeUndefined();
  });
});
