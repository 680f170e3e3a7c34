import { createGoogleGenerativeAI, type GoogleGenerativeAIProvider } from "@ai-sdk/google";
import { APICallError, embed, embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  breakNextMidStream,
  CHAT_MODEL,
  EMBEDDING_LENGTH,
  EMBEDDING_MODEL,
  emptyNext,
  overloadNextMidStream,
  replyTo,
  replyToTool,
  RETRY_AFTER_MAX_SECONDS,
  RETRY_AFTER_MIN_SECONDS,
  startExhaustedPool,
  startGuardedPool,
  startSparePool,
  suspendNext,
  TEAM_SECRET,
  upstreamStatuses,
} from "../harness/client-pools.ts";
import { collect } from "../harness/collect.ts";
import { startPool, type Pool } from "../harness/pool.ts";

/** The SDK's own retries are off, so that what is seen is the gateway's doing. */
const HELLO = { prompt: "Hello", maxRetries: 0 } as const;

function providerOf(pool: Pool, apiKey = "any"): GoogleGenerativeAIProvider {
  return createGoogleGenerativeAI({ apiKey, baseURL: `${pool.url}/v1beta` });
}

const weather = tool({
  description: "Tells the weather of a city",
  inputSchema: jsonSchema<{ city: string }>({
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
  }),
  execute: ({ city }) => ({ sky: `clear over ${city}` }),
});

describe("served", () => {
  let pool: Pool;
  let google: GoogleGenerativeAIProvider;
  beforeAll(async () => {
    pool = await startPool();
    google = providerOf(pool);
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  it("generates", async () => {
    const { text, usage, finishReason } = await generateText({ model: google(CHAT_MODEL), ...HELLO });
    expect(text).toMatch(replyTo("Hello"));
    expect(usage.totalTokens).toBeGreaterThan(0);
    expect(finishReason).toBe("stop");
  });

  it("streams each piece of the answer once", async () => {
    const { textStream, finishReason } = streamText({ model: google(CHAT_MODEL), ...HELLO });
    const texts = await collect(textStream);
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.join("")).toMatch(replyTo("Hello"));
    expect(await finishReason).toBe("stop");
  });

  it("calls tools and takes their answers, unary and streaming", async () => {
    const request = {
      model: google(CHAT_MODEL),
      prompt: "call weather",
      tools: { weather },
      stopWhen: stepCountIs(2),
      maxRetries: 0,
    };
    const { text, steps } = await generateText(request);
    expect(steps[0]?.toolCalls).toMatchObject([{ toolName: "weather", input: { city: "city" } }]);
    expect(text).toMatch(replyToTool("clear over city"));
    expect(await streamText(request).text).toMatch(replyToTool("clear over city"));
  });

  it("embeds one text and many", async () => {
    const model = google.embedding(EMBEDDING_MODEL);
    const one = await embed({ model, value: "a", maxRetries: 0 });
    expect(one.embedding).toHaveLength(EMBEDDING_LENGTH);
    const many = await embedMany({ model, values: ["a", "b"], maxRetries: 0 });
    expect(many.embeddings).toHaveLength(2);
    expect(many.embeddings[0]).toEqual(one.embedding);
    expect(many.embeddings[1]).not.toEqual(one.embedding);
  });

  it("sees its own mistake as its own error, after one call although the SDK may retry", async () => {
    pool.emulator.calls.reset();
    const error: unknown = await embed({ model: google.embedding(EMBEDDING_MODEL), value: "" }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toSatisfy((thrown) => APICallError.isInstance(thrown));
    expect(error).toMatchObject({ statusCode: 400, isRetryable: false });
    expect(upstreamStatuses(pool.emulator)).toEqual([400]);
  });
});

it("does not see the failure of a key, unary or streaming", async () => {
  await using pool = await startSparePool();
  const google = providerOf(pool);
  suspendNext(pool.emulator);
  expect((await generateText({ model: google(CHAT_MODEL), ...HELLO })).text).toMatch(replyTo("Hello"));
  emptyNext(pool.emulator);
  expect(await streamText({ model: google(CHAT_MODEL), ...HELLO }).text).toMatch(replyTo("Hello"));
  expect(upstreamStatuses(pool.emulator)).toEqual([403, 200, 200, 200]);
});

it("is told 429 and when to come back once all quota is used up", async () => {
  await using pool = await startExhaustedPool();
  const error: unknown = await generateText({ model: providerOf(pool)(CHAT_MODEL), ...HELLO }).catch(
    (reason: unknown) => reason,
  );
  if (!APICallError.isInstance(error)) throw new Error("not the SDK's error", { cause: error });
  expect(error).toMatchObject({ statusCode: 429, isRetryable: true });
  const seconds = Number(error.responseHeaders?.["retry-after"]);
  expect(seconds).toBeGreaterThanOrEqual(RETRY_AFTER_MIN_SECONDS);
  expect(seconds).toBeLessThanOrEqual(RETRY_AFTER_MAX_SECONDS);
  expect(upstreamStatuses(pool.emulator)).toEqual([429, 429]);
});

it.each([
  ["the upstream reports an error", overloadNextMidStream, "high demand"],
  ["the upstream's connection breaks", breakNextMidStream, "broke off"],
])("gets an error part and finishes with an error when %s mid-stream", async (_, breakStream, words) => {
  await using pool = await startPool();
  breakStream(pool.emulator);
  const { stream } = streamText({ model: providerOf(pool)(CHAT_MODEL), ...HELLO, onError: () => {} });
  const parts = await collect(stream);
  const error = parts.find((part) => part.type === "error")?.error;
  expect(JSON.stringify(error) + String(error)).toContain(words);
  expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: "error" });
  expect(parts.filter((part) => part.type === "text-delta").length).toBeGreaterThan(0);
});

it("shows the auth key as its API key, below a path prefix", async () => {
  await using pool = await startGuardedPool();
  const { text } = await generateText({ model: providerOf(pool, TEAM_SECRET)(CHAT_MODEL), ...HELLO });
  expect(text).toMatch(replyTo("Hello"));
  expect(await pool.requestLogged()).toMatchObject({ client: "team", status: 200 });
  const stranger = providerOf(pool, "test-wrong-secret");
  const refused = generateText({ model: stranger(CHAT_MODEL), ...HELLO });
  await expect(refused).rejects.toMatchObject({ statusCode: 401, isRetryable: false });
  expect(pool.emulator.calls.total).toBe(1);
});
