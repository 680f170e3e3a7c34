import { describe, expect, it } from "vitest";
import { ask, BETA, made, saying, startProjects, textOfTokens, uploaded } from "./projects.ts";
import type { Json } from "./projects.ts";

const GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent";

it("makes files with an answer that is asked for them, each its own project's", async () => {
  await using emulator = await startProjects();
  const answer = await made(emulator, GENERATE, { body: saying("make 2 files") });
  const [candidate] = answer["candidates"] as { content: { parts: Json[] } }[];
  const files = candidate?.content.parts.slice(1).map(({ fileData }) => fileData as { fileUri: string });
  expect(files).toHaveLength(2);
  for (const { fileUri } of files ?? []) {
    const path = new URL(fileUri).pathname;
    expect(await made(emulator, path)).toMatchObject({ uri: fileUri, source: "GENERATED", state: "ACTIVE" });
    expect((await ask(emulator, path, { key: BETA })).status).toBe(403);
  }
});

describe("caches context", () => {
  it("with a time to live, whose tokens an answer shows as cached", async () => {
    const clock = { nowMs: Date.parse("2026-11-25T12:00:00Z") };
    await using emulator = await startProjects({ now: () => clock.nowMs });
    const body = { model: "models/gemini-2.5-flash", ttl: "300s", ...saying(textOfTokens(2000)) };
    const cache = await made(emulator, "/v1/cachedContents", { body });
    const name = String(cache["name"]);
    expect(name).toMatch(/^cachedContents\/\w{40}$/);
    expect(cache).toMatchObject({
      expireTime: "2026-11-25T12:05:00.000000Z",
      displayName: "",
      usageMetadata: { totalTokenCount: 2000 },
    });
    const answer = await made(emulator, GENERATE, { body: { ...saying("hi"), cachedContent: name } });
    expect(answer["usageMetadata"]).toMatchObject({ cachedContentTokenCount: 2000, promptTokenCount: 2001 });
    const patched = await made(emulator, `/v1/${name}?updateMask=ttl`, {
      method: "PATCH",
      body: { ttl: "60s" },
    });
    expect(patched["expireTime"]).toBe("2026-11-25T12:01:00.000000Z");
    expect(((await made(emulator, "/v1/cachedContents"))["cachedContents"] as Json[])[0]?.["name"]).toBe(
      name,
    );
    clock.nowMs += 60_000;
    expect((await ask(emulator, GENERATE, { body: { ...saying("hi"), cachedContent: name } })).status).toBe(
      403,
    );
    expect(await made(emulator, "/v1/cachedContents")).toEqual({});
  });

  it("refuses a small cache, another model, and instructions beside it", async () => {
    await using emulator = await startProjects();
    const small = await ask(emulator, "/v1/cachedContents", {
      body: { model: "models/gemini-2.5-flash", ...saying("hi") },
    });
    expect(await small.text()).toContain(
      "Cached content is too small. total_token_count=1, min_total_token_count=1024",
    );
    const body = { model: "models/gemini-2.5-flash", ...saying(textOfTokens(1024)) };
    const { name } = await made(emulator, "/v1/cachedContents", { body });
    const use = { ...saying("hi"), cachedContent: name };
    const other = await ask(emulator, "/v1/models/gemini-2.5-pro:generateContent", { body: use });
    expect(await other.text()).toContain("has to be the same.");
    const instructed = await ask(emulator, GENERATE, {
      body: { ...use, systemInstruction: { parts: [{ text: "x" }] } },
    });
    expect(await instructed.text()).toContain("CachedContent can not be used with GenerateContent request");
    await made(emulator, `/v1/${String(name)}`, { method: "DELETE" });
    expect((await ask(emulator, `/v1/${String(name)}`)).status).toBe(403);
  });

  it("implicitly, for a beginning that the same project sends again", async () => {
    await using emulator = await startProjects({ implicitCacheTokensMin: 10 });
    const beginning = { role: "user", parts: [{ text: textOfTokens(20) }] };
    const turn = (text: string): Json => ({ contents: [beginning, { role: "user", parts: [{ text }] }] });
    const cachedIn = async (text: string, key?: string): Promise<unknown> => {
      const answer = await made(emulator, GENERATE, { body: turn(text), ...(key !== undefined && { key }) });
      return (answer["usageMetadata"] as Json)["cachedContentTokenCount"];
    };
    expect(await cachedIn("one")).toBeUndefined();
    expect(await cachedIn("two")).toBe(20);
    expect(await cachedIn("two")).toBe(21);
    expect(await cachedIn("three", BETA)).toBeUndefined();
  });
});

describe("names the model and the method", () => {
  it.each([
    ["/v1/models/nonsense:batchGenerateContent", {}, "models/nonsense", "batchGenerateContent"],
    ["/v1/models/gemini-2.5-flash:predictLongRunning", {}, "models/gemini-2.5-flash", "predictLongRunning"],
    ["/v1/cachedContents", { model: "models/nonsense" }, "models/nonsense", "createCachedContent"],
  ])("when %s meets an unfit one", async (path, body, model, method) => {
    await using emulator = await startProjects();
    const response = await ask(emulator, path, { body });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain(
      `${model} is not found for API version v1, or is not supported for ${method}.`,
    );
  });
});

describe("works on batches", () => {
  it("of inline requests, by polls", async () => {
    await using emulator = await startProjects();
    const requests = [{ request: saying("hi"), metadata: { key: "a" } }, { request: {} }];
    const body = { batch: { displayName: "b", inputConfig: { requests: { requests } } } };
    const created = await made(emulator, "/v1/models/gemini-2.5-flash:batchGenerateContent", { body });
    const path = `/v1/${String(created["name"])}`;
    const states = [created, await made(emulator, path), await made(emulator, path)].map(
      ({ metadata }) => (metadata as Json)["state"],
    );
    expect(states).toEqual(["BATCH_STATE_PENDING", "BATCH_STATE_RUNNING", "BATCH_STATE_SUCCEEDED"]);
    const done = await made(emulator, path);
    const { output, batchStats } = done["metadata"] as {
      output: { inlinedResponses: { inlinedResponses: Json[] } };
      batchStats: Json;
    };
    const [first, second] = output.inlinedResponses.inlinedResponses;
    expect(JSON.stringify(first)).toContain("Hello from project alpha");
    expect(first?.["metadata"]).toEqual({ key: "a" });
    expect(second?.["error"]).toMatchObject({ code: 400 });
    expect(batchStats).toEqual({ requestCount: "2", successfulRequestCount: "1", failedRequestCount: "1" });
    expect((await made(emulator, "/v1/batches"))["operations"]).toEqual([done]);
    await made(emulator, path, { method: "DELETE" });
    expect((await ask(emulator, path)).status).toBe(403);
  });

  it("of a file, with a file of answers to download", async () => {
    await using emulator = await startProjects({ jobPolls: 1 });
    const line = (key: string): string => JSON.stringify({ key, request: saying(key) });
    const { name } = await uploaded(emulator, `${line("k1")}\n${line("k2")}\n`);
    const body = { batch: { inputConfig: { fileName: name } } };
    const created = await made(emulator, "/v1beta/models/gemini-2.5-flash:batchGenerateContent", { body });
    const done = await made(emulator, `/v1beta/${String(created["name"])}`);
    expect(done).toMatchObject({
      done: true,
      response: { responsesFile: expect.stringMatching(/^files\/batch-/) as string },
    });
    const output = (done["response"] as Json)["responsesFile"];
    const redirect = await ask(emulator, `/v1beta/${String(output)}:download?alt=media`);
    const lines = (await (await fetch(redirect.headers.get("location") ?? "")).text()).trim().split("\n");
    expect(lines.map((text) => (JSON.parse(text) as Json)["key"])).toEqual(["k1", "k2"]);
    expect(lines[1]).toContain('you said \\"k2\\"');
  });

  it("of embeddings, and cancels", async () => {
    await using emulator = await startProjects({ jobPolls: 3 });
    const requests = [{ request: { content: { parts: [{ text: "a" }] }, outputDimensionality: 4 } }];
    const body = { batch: { inputConfig: { requests: { requests } } } };
    const path = "/v1/models/gemini-embedding-001:asyncBatchEmbedContent";
    const cancelled = `/v1/${String((await made(emulator, path, { body }))["name"])}`;
    await made(emulator, `${cancelled}:cancel`, { body: {} });
    expect((await made(emulator, cancelled))["metadata"]).toMatchObject({ state: "BATCH_STATE_CANCELLED" });
    const job = `/v1/${String((await made(emulator, path, { body }))["name"])}`;
    for (let poll = 0; poll < 3; poll += 1) await made(emulator, job);
    const { metadata } = await made(emulator, job);
    expect(metadata).toMatchObject({
      output: { inlinedEmbedContentResponses: { inlinedResponses: [{ response: { embedding: {} } }] } },
    });
  });
});

describe("runs operations", () => {
  it("a video, whose file is the project's and is downloaded by redirect", async () => {
    await using emulator = await startProjects();
    const path = "/v1beta/models/veo-3.1-generate-preview:predictLongRunning";
    const { name } = await made(emulator, path, { body: { instances: [{ prompt: "a cat" }] } });
    expect(name).toMatch(/^models\/veo-3\.1-generate-preview\/operations\/\w+$/);
    expect(await made(emulator, `/v1beta/${String(name)}`)).toEqual({ name });
    const done = await made(emulator, `/v1beta/${String(name)}`);
    const uri = /"uri":"([^"]+)"/.exec(JSON.stringify(done))?.[1] ?? "";
    const { origin, pathname, search } = new URL(uri);
    expect(origin).toBe("https://generativelanguage.googleapis.com");
    const redirect = await ask(emulator, pathname + search);
    expect(await (await fetch(redirect.headers.get("location") ?? "")).text()).toContain(
      "project alpha: a cat",
    );
  });

  it("tunes a model that answers for its project alone", async () => {
    await using emulator = await startProjects({ jobPolls: 0 });
    const created = await made(emulator, "/v1beta/tunedModels", {
      body: { baseModel: "models/gemini-2.5-flash" },
    });
    const name = String(((created["response"] ?? {}) as Json)["name"]);
    expect((await ask(emulator, `/v1beta/${name}:generateContent`, { body: saying("hi") })).status).toBe(200);
    expect(
      (await ask(emulator, `/v1beta/${name}:generateContent`, { key: BETA, body: saying("hi") })).status,
    ).toBe(403);
    expect(JSON.stringify(await made(emulator, "/v1beta/tunedModels"))).toContain(name);
    expect((await made(emulator, `/v1beta/${String(created["name"])}`))["done"]).toBe(true);
  });
});

describe("keeps file search stores", () => {
  it("with uploaded and imported documents, deleted only by force", async () => {
    await using emulator = await startProjects({ jobPolls: 1 });
    const { name: store } = await made(emulator, "/v1/fileSearchStores", {
      body: { displayName: "My Store" },
    });
    expect(store).toMatch(/^fileSearchStores\/mystore-\w+$/);
    const start = await ask(emulator, `/upload/v1/${String(store)}:uploadToFileSearchStore`, {
      body: { mimeType: "text/plain", displayName: "doc" },
      headers: {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-length": "5",
      },
    });
    const url = start.headers.get("x-goog-upload-url") ?? "";
    expect(url).toContain(`/upload/v1/${String(store)}:uploadToFileSearchStore?upload_id=`);
    const headers = { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
    const operation = (await (await fetch(url, { method: "POST", headers, body: "hello" })).json()) as Json;
    expect(operation["name"]).toMatch(new RegExp(`^${String(store)}/upload/operations/`));
    expect(operation["response"]).toMatchObject({ parent: store, sizeBytes: "5", mimeType: "text/plain" });
    expect(await made(emulator, `/v1/${String(operation["name"])}`)).toEqual(operation);
    const { name: fileName } = await uploaded(emulator, "more");
    const imported = await made(emulator, `/v1/${String(store)}:importFile`, { body: { fileName } });
    expect(imported).not.toHaveProperty("done");
    expect((await made(emulator, `/v1/${String(imported["name"])}`))["done"]).toBe(true);
    const { documents } = (await made(emulator, `/v1/${String(store)}/documents`)) as { documents: Json[] };
    expect(documents).toHaveLength(2);
    const document = String((operation["response"] as Json)["documentName"]);
    const media = `/v1/${document.replace("/documents/", "/media/")}?alt=media`;
    expect(await (await ask(emulator, media)).text()).toBe("hello");
    expect((await ask(emulator, `/v1/${document}`, { key: BETA })).status).toBe(403);
    expect((await ask(emulator, `/v1/${String(store)}`, { method: "DELETE" })).status).toBe(400);
    await made(emulator, `/v1/${String(store)}?force=true`, { method: "DELETE" });
    expect((await ask(emulator, `/v1/${document}`)).status).toBe(403);
  });
});

describe("continues an answer", () => {
  it("as often as the prompt says, for the project that began it", async () => {
    await using emulator = await startProjects();
    const body = saying("continue 2 times");
    const first = JSON.stringify(await made(emulator, GENERATE, { body }));
    expect(first).toContain('"finishReason":"CONTINUATION"');
    const token = (text: string): string => /"continuationToken":"([^"]+)"/.exec(text)?.[1] ?? "";
    const second = JSON.stringify(
      await made(emulator, GENERATE, { body: { ...body, continuationToken: token(first) } }),
    );
    const third = JSON.stringify(
      await made(emulator, GENERATE, { body: { ...body, continuationToken: token(second) } }),
    );
    expect([token(second) === "", token(third)]).toEqual([false, ""]);
    expect(third).toContain('"finishReason":"STOP"');
    expect([first, second, third].map((text) => /Part \d/.exec(text)?.[0])).toEqual([
      "Part 1",
      "Part 2",
      "Part 3",
    ]);
    const foreign = { ...body, continuationToken: token(first) };
    expect((await ask(emulator, GENERATE, { key: BETA, body: foreign })).status).toBe(400);
    expect(emulator.calls.foreignHits).toBe(1);
  });
});
