import { describe, expect, it } from "vitest";
import type { Emulator } from "../src/emulator.ts";
import { ALPHA, ask, BETA, made, saying, startProjects, textOfTokens, uploaded } from "./projects.ts";
import type { Json } from "./projects.ts";

const GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent";

async function errorOf(response: Response): Promise<Json> {
  return ((await response.json()) as { error: Json }).error;
}

/** One resource of each kind, all of project alpha: the path that shows it. */
const KINDS: readonly (readonly [
  kind: string,
  make: (emulator: Emulator) => Promise<string>,
  message: RegExp,
])[] = [
  [
    "a file",
    async (emulator) => String((await uploaded(emulator, "a"))["name"]),
    /access the File \w+ or it may not exist\.$/,
  ],
  [
    "a cache",
    async (emulator) => {
      const body = { model: "models/gemini-2.5-flash", ...saying(textOfTokens(2000)) };
      return String((await made(emulator, "/v1beta/cachedContents", { body }))["name"]);
    },
    /^CachedContent not found \(or permission denied\)$/,
  ],
  [
    "a batch",
    async (emulator) => {
      const body = { batch: { inputConfig: { requests: { requests: [{ request: saying("hi") }] } } } };
      return String(
        (await made(emulator, "/v1beta/models/gemini-2.5-flash:batchGenerateContent", { body }))["name"],
      );
    },
    /Batch/,
  ],
  [
    "an operation",
    async (emulator) => {
      const path = "/v1beta/models/veo-3.1-generate-preview:predictLongRunning";
      return String((await made(emulator, path, { body: { instances: [{ prompt: "a cat" }] } }))["name"]);
    },
    /Operation/,
  ],
  [
    "a file search store",
    async (emulator) =>
      String((await made(emulator, "/v1beta/fileSearchStores", { body: { displayName: "s" } }))["name"]),
    /File Search Store/,
  ],
];

describe("refuses what another project owns", () => {
  it.each(KINDS)("%s, as one that does not exist, and counts the hit", async (_kind, make, message) => {
    await using emulator = await startProjects();
    const name = await make(emulator);
    expect((await ask(emulator, `/v1beta/${name}`)).status).toBe(200);
    expect(emulator.ownerOf(name)).toBe("alpha");
    const foreign = await ask(emulator, `/v1beta/${name}`, { key: BETA });
    expect(foreign.status).toBe(403);
    const error = await errorOf(foreign);
    expect(error).toMatchObject({
      code: 403,
      status: "PERMISSION_DENIED",
      message: expect.stringMatching(message) as string,
    });
    expect(emulator.calls.foreignHits).toBe(1);
    const missing = await ask(emulator, `/v1beta/${name}x`, { key: BETA });
    expect([missing.status, emulator.calls.foreignHits]).toEqual([403, 1]);
    const refused = emulator.calls.recent().at(-2);
    expect(refused).toMatchObject({
      project: "beta",
      resources: [{ name, owner: "alpha", access: "refused" }],
    });
  });

  it("wherever a body names it", async () => {
    await using emulator = await startProjects();
    const file = await uploaded(emulator, '{"key":"k","request":{"contents":[{"parts":[{"text":"hi"}]}]}}');
    const cacheBody = { model: "models/gemini-2.5-flash", ...saying(textOfTokens(2000)) };
    const cache = await made(emulator, "/v1beta/cachedContents", { body: cacheBody });
    const store = await made(emulator, "/v1beta/fileSearchStores", { body: {} });
    const ownStore = await made(emulator, "/v1beta/fileSearchStores", { key: BETA, body: {} });
    const batch = "/v1beta/models/gemini-2.5-flash:batchGenerateContent";
    const embed = "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent";
    const stores = [{ fileSearch: { fileSearchStoreNames: [store["name"]] } }];
    const requests: readonly (readonly [string, Json])[] = [
      [GENERATE, { contents: [{ parts: [{ fileData: { fileUri: file["uri"] } }] }] }],
      [GENERATE, { contents: [{ parts: [{ file_data: { file_uri: file["name"] } }] }] }],
      [GENERATE, { ...saying("hi"), cachedContent: cache["name"] }],
      [GENERATE, { ...saying("hi"), tools: stores }],
      [
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        { ...saying("hi"), cachedContent: cache["name"] },
      ],
      [batch, { batch: { inputConfig: { fileName: file["name"] } } }],
      [embed, { batch: { inputConfig: { file_name: file["name"] } } }],
      [`/v1beta/${String(ownStore["name"])}:importFile`, { fileName: file["name"] }],
      ["/v1beta/openai/batches", { input_file_id: file["name"], endpoint: "/v1/chat/completions" }],
    ];
    for (const [path, body] of requests) {
      const response = await ask(emulator, path, { key: BETA, body });
      expect([path, body, response.status]).toEqual([path, body, 403]);
    }
    expect(emulator.calls.foreignHits).toBe(requests.length);
    for (const [path, body] of requests) {
      if (path.includes("importFile")) continue;
      expect([path, (await ask(emulator, path, { key: ALPHA, body })).status]).toEqual([path, 200]);
    }
  });

  it("but serves a foreign thought signature, and marks it", async () => {
    await using emulator = await startProjects();
    const tools = [{ functionDeclarations: [{ name: "look" }] }];
    const answer = JSON.stringify(
      await made(emulator, GENERATE, { body: { ...saying("call look"), tools } }),
    );
    const signature = /"thoughtSignature":"([^"]+)"/.exec(answer)?.[1] ?? "";
    expect(signature).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const call = { functionCall: { name: "look", args: {} }, thoughtSignature: signature };
    const body = {
      contents: [
        { role: "model", parts: [call] },
        { role: "user", parts: [{ text: "hi" }] },
      ],
    };
    await made(emulator, GENERATE, { body });
    expect(emulator.calls.foreignTokens).toBe(0);
    await made(emulator, GENERATE, { key: BETA, body });
    expect([emulator.calls.foreignTokens, emulator.calls.foreignHits]).toEqual([1, 0]);
    await using strict = await startProjects({ foreignSignatures: "refused" });
    expect((await ask(strict, GENERATE, { key: BETA, body })).status).toBe(400);
    expect((await ask(strict, GENERATE, { body })).status).toBe(200);
  });

  it("and file URIs of a host that is not Google's", async () => {
    await using emulator = await startProjects();
    const body = { contents: [{ parts: [{ fileData: { fileUri: `${emulator.url}/v1beta/files/abc` } }] }] };
    expect((await ask(emulator, GENERATE, { body })).status).toBe(400);
    const video = {
      contents: [{ parts: [{ fileData: { fileUri: "https://www.youtube.com/watch?v=abc" } }] }],
    };
    expect((await ask(emulator, GENERATE, { body: video })).status).toBe(200);
  });
});
