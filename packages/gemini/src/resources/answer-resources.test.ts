import { describe, expect, it } from "vitest";
import { continuationInTail, handleInLiveMessage, resourcesInInteraction } from "./answer-events.ts";
import { deletionTold, isUploadHeader, resourcesInAnswer, uploadOf } from "./answer-resources.ts";
import { answerTelling } from "./answer-route.ts";
import { readBody } from "./read-body.ts";

const GOOGLE = "https://generativelanguage.googleapis.com";
const NOW_MS = Date.UTC(2026, 10, 25);
const HOUR_MS = 3_600_000;

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value, undefined, 2));
}

function rootsTold(below: string, answer: unknown): string[] {
  return resourcesInAnswer(below, json(answer), NOW_MS).map(({ resource }) => resource.root);
}

const OPERATION = "fileSearchStores/s/upload/operations/iifcpg88rbed-d4ggi3qbmddb";

describe("answers tell of", () => {
  it.each<[string, string, unknown, string[]]>([
    [
      "an uploaded file",
      "/files",
      { file: { name: "files/f1", uri: `${GOOGLE}/v1beta/files/f1` } },
      ["files/f1"],
    ],
    ["a file", "/files/f1", { name: "files/f1", state: "ACTIVE" }, ["files/f1"]],
    [
      "files",
      "/files",
      { files: [{ name: "files/a" }, { name: "files/b" }], nextPageToken: "x" },
      ["files/a", "files/b"],
    ],
    ["a cache", "/cachedContents", { name: "cachedContents/c1", model: "models/m" }, ["cachedContents/c1"]],
    ["no caches", "/cachedContents", {}, []],
    [
      "a batch and its results",
      "/batches/b1",
      { name: "batches/b1", metadata: { name: "batches/b1", output: { responsesFile: "files/batch-b1" } } },
      ["batches/b1", "files/batch-b1"],
    ],
    [
      "batches",
      "/batches",
      { operations: [{ name: "batches/b1" }, { name: "batches/b2" }] },
      ["batches/b1", "batches/b2"],
    ],
    [
      "a video to come",
      "/models/veo:predictLongRunning",
      { name: "models/veo/operations/o1" },
      ["models/veo/operations/o1"],
    ],
    [
      "a video",
      "/models/veo/operations/o1",
      {
        name: "models/veo/operations/o1",
        response: {
          generateVideoResponse: {
            generatedSamples: [{ video: { uri: `${GOOGLE}/v1beta/files/v1:download?alt=media` } }],
          },
        },
      },
      ["models/veo/operations/o1", "files/v1"],
    ],
    ["a store", "/fileSearchStores", { name: "fileSearchStores/s" }, ["fileSearchStores/s"]],
    [
      "a document",
      "/fileSearchStores/s:uploadToFileSearchStore",
      {
        name: OPERATION,
        response: { documentName: "fileSearchStores/s/documents/d", parent: "fileSearchStores/s" },
      },
      ["fileSearchStores/s"],
    ],
    [
      "a tuned model",
      "/tunedModels",
      { name: "tunedModels/t/operations/o", metadata: { tunedModel: "tunedModels/t" } },
      ["tunedModels/t"],
    ],
    ["an agent", "/agents", { id: "sentinel", tools: [{ id: "x", name: "files/no" }] }, ["agents/sentinel"]],
    [
      "triggers",
      "/triggers",
      { triggers: [{ id: "t1", environment_id: "e" }] },
      ["triggers/t1", "environments/e"],
    ],
    [
      "what a trigger did",
      "/triggers/t1/executions",
      { trigger_executions: [{ id: "no", interaction_id: "v1_a", trigger_id: "t1" }] },
      ["interactions/v1_a"],
    ],
    ["OpenAI's file", "/openai/files", { id: "file-1", object: "file" }, ["files/file-1"]],
    [
      "OpenAI's batch",
      "/openai/batches/batches/b1",
      { id: "batches/b1", output_file_id: "files/out", error_file_id: null },
      ["batches/b1", "files/out"],
    ],
    [
      "OpenAI's batches",
      "/openai/batches",
      { object: "list", data: [{ id: "batch_1" }] },
      ["batches/batch_1"],
    ],
    ["OpenAI's video", "/openai/videos", { id: "models/veo/operations/o" }, ["models/veo/operations/o"]],
  ])("%s", (_name, below, answer, expected) => {
    expect(rootsTold(below, answer)).toEqual(expected);
  });

  it("a token, by its digest", () => {
    const [token] = resourcesInAnswer("/auth_tokens", json({ name: "auth_tokens/deadbeef" }), NOW_MS);
    expect(token?.resource.kind).toBe("auth-token");
    expect(JSON.stringify(token)).not.toContain("deadbeef");
  });

  it("its end, as stated or by default", () => {
    const told = (below: string, answer: unknown): number | undefined =>
      resourcesInAnswer(below, json(answer), NOW_MS)[0]?.expiresAtMs;
    expect(
      told("/files", { file: { name: "files/a", expirationTime: "2026-11-26T01:00:00.123456789Z" } }),
    ).toBe(Date.UTC(2026, 10, 26, 1, 0, 0, 123));
    expect(told("/files", { file: { name: "files/a" } })).toBe(NOW_MS + 48 * HOUR_MS);
    expect(told("/cachedContents", { name: "cachedContents/c", expireTime: "2026-11-25T02:00:00Z" })).toBe(
      NOW_MS + 2 * HOUR_MS,
    );
    expect(told("/voices", { id: "voice_1", expire_time: "2027-11-25T00:00:00Z" })).toBe(
      Date.UTC(2027, 10, 25),
    );
    expect(told("/fileSearchStores", { name: "fileSearchStores/s" })).toBeUndefined();
  });

  it("nothing when they are no JSON or absurdly long", () => {
    expect(resourcesInAnswer("/files", Buffer.from("<html>"), NOW_MS)).toEqual([]);
    const long = json({ name: "batches/b", response: "x".repeat(5_000_000) });
    expect(resourcesInAnswer("/batches/b", long, NOW_MS)).toEqual([]);
  });
});

describe("interactions", () => {
  const event = (data: unknown): string[] =>
    resourcesInInteraction(JSON.stringify(data), NOW_MS).map(({ resource }) => resource.root);

  it("tell their id, environment and files", () => {
    expect(event({ id: "v1_a", status: "completed", environment_id: "e1" })).toEqual([
      "interactions/v1_a",
      "environments/e1",
    ]);
    expect(
      event({ event_type: "interaction.created", interaction: { id: "v1_a", status: "in_progress" } }),
    ).toEqual(["interactions/v1_a"]);
    expect(
      event({ event_type: "interaction.status_update", interaction_id: "v1_a", status: "completed" }),
    ).toEqual(["interactions/v1_a"]);
    const video = { type: "video", uri: `${GOOGLE}/v1beta/files/v1` };
    expect(event({ event_type: "step.delta", index: 0, delta: video })).toEqual(["files/v1"]);
    expect(
      event({
        event_type: "step.delta",
        index: 0,
        delta: { type: "text", text: '"event_type": "interaction.created"' },
      }),
    ).toEqual([]);
    expect(
      event({
        event_type: "interaction.completed",
        interaction: { id: "v1_a", note: '"event_type": "step.delta"' },
      }),
    ).toEqual(["interactions/v1_a"]);
    expect(resourcesInInteraction("[DONE]", NOW_MS)).toEqual([]);
  });

  it("tell the token with which they go on, as the next request names it", () => {
    const stopped = { id: "v1_a", status: "requires_continuation", continuation_token: "t/+=" };
    const next = readBody(Buffer.from('{"previous_interaction_id":"v1_a","continuation_token":"t\\/+="}'));
    expect(event(stopped)).toEqual(next.resources.map(({ root }) => root));
  });
});

describe("generations", () => {
  it("tell a continuation token at their end", () => {
    const end =
      'data: {"candidates": [{"finishReason": "CONTINUATION","continuationToken": "a\\u0041=="}]}\r\n\r\n';
    const [told] = continuationInTail(Buffer.from(`x${end}`), NOW_MS);
    expect(told?.resource).toEqual(readBody(Buffer.from('{"continuationToken":"aA=="}')).resources[0]);
    const quoted = JSON.stringify({ text: '"continuationToken": "no"' });
    expect(continuationInTail(Buffer.from(quoted), NOW_MS)).toEqual([]);
  });
});

describe("Live sessions", () => {
  it("tell the handle with which they are resumed", () => {
    const update = { sessionResumptionUpdate: { newHandle: "h1", resumable: true } };
    const told = handleInLiveMessage(json(update), NOW_MS);
    expect(told?.resource).toEqual(
      readBody(json({ setup: { sessionResumption: { handle: "h1" } } })).resources[0],
    );
    expect(told?.expiresAtMs).toBe(NOW_MS + 24 * HOUR_MS);
    expect(
      handleInLiveMessage(json({ sessionResumptionUpdate: { newHandle: "", resumable: false } }), NOW_MS),
    ).toBeUndefined();
    expect(handleInLiveMessage(json({ serverContent: {} }), NOW_MS)).toBeUndefined();
  });
});

describe("deletions", () => {
  it("are of the thing itself, not of what lies below it", () => {
    expect(deletionTold("/files/f1")).toMatchObject({ state: "gone", resource: { root: "files/f1" } });
    expect(deletionTold("/openai/files/files/f1")).toMatchObject({ resource: { root: "files/f1" } });
    expect(deletionTold("/fileSearchStores/s/documents/d")).toBeUndefined();
  });
});

describe("uploads", () => {
  it("are known by their id in whichever header", () => {
    const url = `${GOOGLE}/upload/v1beta/files?upload_id=AOCedOGNfObK&upload_protocol=resumable`;
    expect(uploadOf(url)).toEqual(uploadOf("AOCedOGNfObK"));
    expect(uploadOf(url)?.kind).toBe("upload");
    expect(uploadOf(`${GOOGLE}/upload/v1beta/files?x=1`)).toBeUndefined();
    expect(
      ["X-Goog-Upload-URL", "X-Goog-Upload-Control-URL", "Location", "date"].map(isUploadHeader),
    ).toEqual([true, true, true, false]);
  });
});

describe("what of an answer tells", () => {
  it.each<[string, string, boolean, string]>([
    ["POST", "/files", true, "upload"],
    ["GET", "/files", false, "resource"],
    ["GET", "/files/f1", false, "resource"],
    ["POST", "/files:register", false, "resource"],
    ["GET", "/files/f1:download", false, "none"],
    ["DELETE", "/files/f1", false, "deletion"],
    ["DELETE", "/fileSearchStores/s/documents/d", false, "none"],
    ["PATCH", "/cachedContents/c", false, "resource"],
    ["POST", "/models/m:batchGenerateContent", false, "resource"],
    ["POST", "/models/m:asyncBatchEmbedContent", false, "resource"],
    ["POST", "/models/veo:predictLongRunning", false, "resource"],
    ["GET", "/models/veo/operations/o", false, "resource"],
    ["POST", "/batches/b:cancel", false, "none"],
    ["POST", "/fileSearchStores/s:importFile", false, "resource"],
    ["GET", "/fileSearchStores/s/media/m", false, "none"],
    ["POST", "/interactions", false, "interaction"],
    ["GET", "/interactions/v1_a", false, "interaction"],
    ["POST", "/interactions/v1_a/cancel", false, "interaction"],
    ["POST", "/auth_tokens", false, "resource"],
    ["GET", "/environments/e/files/src", false, "none"],
    ["POST", "/webhooks/w:ping", false, "none"],
    ["POST", "/openai/files", false, "resource"],
    ["GET", "/openai/files/f/content", false, "none"],
    ["POST", "/openai/chat/completions", false, "none"],
    ["GET", "/models", false, "none"],
    ["POST", "/models/m:streamGenerateContent", false, "generation"],
    ["POST", "/tunedModels/t:generateContent", false, "generation"],
    ["POST", "/models/m:countTokens", false, "none"],
  ])("%s %s (upload: %s): %s", (method, below, isUpload, expected) => {
    expect(answerTelling(method, below, isUpload)).toBe(expected);
  });
});
