import { describe, expect, it } from "vitest";
import { walkBody } from "./body-walk.ts";
import { hexOf } from "./byte-hash.ts";
import { readBody } from "./read-body.ts";

const GOOGLE = "https://generativelanguage.googleapis.com";
const OWN = "http://127.0.0.1:8080/gw";

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function rootsIn(body: Buffer, read = readBody): string[] {
  return read(body, [OWN]).resources.map(({ root }) => root);
}

describe("references of a request", () => {
  it.each<[string, unknown, string[]]>([
    [
      "fileData",
      { contents: [{ parts: [{ fileData: { fileUri: `${GOOGLE}/v1beta/files/f1` } }] }] },
      ["files/f1"],
    ],
    ["file_data", { contents: [{ parts: [{ file_data: { file_uri: "files/f1" } }] }] }, ["files/f1"]],
    [
      "own origin",
      { contents: [{ parts: [{ fileData: { fileUri: `${OWN}/v1beta/files/f1` } }] }] },
      ["files/f1"],
    ],
    ["cachedContent", { cachedContent: "cachedContents/c1", contents: [] }, ["cachedContents/c1"]],
    [
      "count of a cache",
      { generateContentRequest: { cached_content: "cachedContents/c1" } },
      ["cachedContents/c1"],
    ],
    [
      "file search",
      { tools: [{ fileSearch: { fileSearchStoreNames: ["fileSearchStores/a", "fileSearchStores/b"] } }] },
      ["fileSearchStores/a", "fileSearchStores/b"],
    ],
    [
      "file search of an interaction",
      { tools: [{ type: "file_search", file_search_store_names: ["fileSearchStores/a"] }] },
      ["fileSearchStores/a"],
    ],
    ["batch of a file", { batch: { inputConfig: { fileName: "files/f1" } } }, ["files/f1"]],
    ["batch of embeddings", { batch: { inputConfig: { file_name: "files/f1" } } }, ["files/f1"]],
    ["import into a store", { fileName: "files/f1" }, ["files/f1"]],
    ["compatible batch", { input_file_id: "files/f1", endpoint: "/v1/chat/completions" }, ["files/f1"]],
    ["compatible batch, OpenAI's id", { input_file_id: "file-1" }, ["files/file-1"]],
    [
      "compatible file part",
      { messages: [{ content: [{ type: "file", file: { file_id: "files/f1" } }] }] },
      ["files/f1"],
    ],
    ["next turn", { model: "m", input: "hi", previous_interaction_id: "v1_abc" }, ["interactions/v1_abc"]],
    [
      "content of an interaction",
      { input: [{ type: "audio", uri: `${GOOGLE}/v1beta/files/f1` }] },
      ["files/f1"],
    ],
    [
      "content of a function's result",
      { input: [{ type: "function_result", result: [{ type: "image", uri: "files/f1" }] }] },
      ["files/f1"],
    ],
    [
      "agent",
      { agent: "customer-sentinel", input: "x", environment: "env_1" },
      ["agents/customer-sentinel", "environments/env_1"],
    ],
    [
      "new environment",
      { agent: "a", environment: { type: "remote", environment_id: "e1" } },
      ["agents/a", "environments/e1"],
    ],
    [
      "trigger",
      { schedule: "* * * * *", interaction: { agent: "a" }, environment_id: "e" },
      ["agents/a", "environments/e"],
    ],
    ["tuned model", { model: "tunedModels/t1" }, ["tunedModels/t1"]],
    [
      "stored voice",
      { generationConfig: { speechConfig: { voiceConfig: { voice: "voice_1" } } } },
      ["voices/voice_1"],
    ],
    [
      "video to go on from",
      { instances: [{ video: { uri: `${GOOGLE}/v1beta/files/v:download?alt=media` } }] },
      ["files/v"],
    ],
    [
      "environment's snapshot",
      { input: [{ type: "document", uri: "files/environment-e1" }] },
      ["environments/e1"],
    ],
  ])("%s", (_name, body, expected) => {
    expect(rootsIn(json(body))).toEqual(expected);
    expect(rootsIn(json(body), walkBody)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ["arguments of a call", { contents: [{ parts: [{ functionCall: { args: { fileUri: "files/no" } } }] }] }],
    [
      "a function's result",
      { contents: [{ parts: [{ functionResponse: { response: { fileUri: "files/no" } } }] }] },
    ],
    [
      "a schema",
      { generationConfig: { responseSchema: { example: { cachedContent: "cachedContents/no" } } } },
    ],
    ["text that looks like JSON", { contents: [{ parts: [{ text: '{"fileUri":"files/no"}' }] }] }],
    [
      "a stranger's URL",
      { contents: [{ parts: [{ fileData: { fileUri: "https://example.com/v1beta/files/no" } }] }] },
    ],
    ["a file's own name", { contents: [{ parts: [{ text: "x", fileName: "files/no" }] }] }],
    ["a browser of computer use", { tools: [{ computerUse: { environment: "ENVIRONMENT_BROWSER" } }] }],
    ["a fresh sandbox", { input: "x", environment: "remote" }],
    ["inline data", { input: [{ type: "image", uri: `data:image/png;base64,${"A".repeat(9000)}` }] }],
    ["a prebuilt voice", { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Puck" } } } }],
  ])("none in %s", (_name, body) => {
    expect(readBody(json(body)).resources).toEqual([]);
  });

  it("names tokens by digest, never by themselves", () => {
    const body = json({
      setup: { sessionResumption: { handle: "secret-handle" } },
      continuationToken: "secret-token",
    });
    const { resources } = readBody(body);
    expect(resources.map(({ kind }) => kind)).toEqual(["live-handle", "continuation"]);
    expect(JSON.stringify(resources)).not.toContain("secret");
    expect(rootsIn(json({ continuation_token: "secret-token" }))).toEqual([resources[1]?.root]);
  });
});

describe("signatures", () => {
  it.each<[string, unknown, boolean]>([
    ["native", { contents: [{ parts: [{ text: "x", thoughtSignature: "c2ln" }] }] }, true],
    [
      "compatible",
      { messages: [{ tool_calls: [{ extra_content: { google: { thought_signature: "c2ln" } } }] }] },
      true,
    ],
    ["Interactions", { input: [{ type: "thought", signature: "c2ln" }] }, true],
    [
      "a stand-in",
      { contents: [{ parts: [{ thoughtSignature: "skip_thought_signature_validator" }] }] },
      false,
    ],
    ["a voice's consent", { speechConfig: { voiceConsentSignature: { signature: "c2ln" } } }, false],
    ["an empty one", { contents: [{ parts: [{ thoughtSignature: "" }] }] }, false],
    [
      "arguments",
      { contents: [{ parts: [{ functionCall: { args: { thoughtSignature: "c2ln" } } }] }] },
      false,
    ],
  ])("%s", (_name, body, expected) => {
    expect(readBody(json(body)).isSigned).toBe(expected);
    expect(walkBody(json(body)).isSigned).toBe(expected);
  });
});

describe("the conversation's key", () => {
  const key = (body: unknown, model = "m"): string | undefined => {
    const lanes = readBody(json(body)).lead?.key(model);
    return lanes && hexOf(lanes);
  };
  const user = (said: string): unknown => ({ role: "user", parts: [{ text: said }] });
  const reply = { role: "model", parts: [{ text: "well" }] };

  it("stays while the conversation grows", () => {
    const first = { systemInstruction: { parts: [{ text: "s" }] }, contents: [user("hello")] };
    const later = {
      contents: [user("hello"), reply, user("and?")],
      systemInstruction: { parts: [{ text: "s" }] },
    };
    expect(key(first)).toMatch(/^[\da-f]{16}$/);
    expect(key(later)).toBe(key(first));
    expect(readBody(json(later)).lead?.turnCount).toBe(3);
  });

  it("differs by model, system instruction and first turn", () => {
    const keys = [
      key({ contents: [user("hello")] }),
      key({ contents: [user("hello")] }, "other"),
      key({ contents: [user("hallo")] }),
      key({ contents: [user("hello")], systemInstruction: "s" }),
      key({ contents: [user("x".repeat(5000))] }),
      key({ contents: [user("x".repeat(5001))] }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("counts what is said to the model before the user speaks", () => {
    const chat = (system: string, said: string, ...more: unknown[]): unknown => ({
      model: "m",
      messages: [{ content: system, role: "system" }, { role: "user", content: said }, ...more],
    });
    expect(key(chat("s", "a", { role: "assistant", content: "b" }))).toBe(key(chat("s", "a")));
    expect(key(chat("s", "a"))).not.toBe(key(chat("s", "b")));
    expect(key(chat("s", "a"))).not.toBe(key(chat("t", "a")));
  });

  it("is none without turns", () => {
    expect(key({ model: "m" })).toBeUndefined();
    expect(key({ instances: [{ prompt: "x" }] })).toBeUndefined();
  });
});
