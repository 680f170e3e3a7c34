import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings } from "@langchain/google-genai";
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
  startExhaustedPool,
  startGuardedPool,
  startSparePool,
  suspendNext,
  TEAM_SECRET,
  upstreamStatuses,
} from "../harness/client-pools.ts";
import { collect } from "../harness/collect.ts";
import { startPool, type Pool } from "../harness/pool.ts";

/** Its own retries are off, so that what is seen is the gateway's doing. */
function chatOf(pool: Pool, apiKey = "any"): ChatGoogleGenerativeAI {
  return new ChatGoogleGenerativeAI({ model: CHAT_MODEL, apiKey, baseUrl: pool.url, maxRetries: 0 });
}

function embeddingsOf(pool: Pool): GoogleGenerativeAIEmbeddings {
  return new GoogleGenerativeAIEmbeddings({
    model: EMBEDDING_MODEL,
    apiKey: "any",
    baseUrl: pool.url,
    maxRetries: 0,
  });
}

async function streamedTexts(chat: ChatGoogleGenerativeAI): Promise<string[]> {
  const chunks = await collect(await chat.stream("Hello"));
  return chunks.map(({ text }) => text);
}

describe("served", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await startPool();
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  it("invokes", async () => {
    const answer = await chatOf(pool).invoke("Hello");
    expect(answer.text).toMatch(replyTo("Hello"));
    expect(answer).toHaveProperty("usage_metadata.total_tokens", expect.any(Number));
  });

  it("streams each piece of the answer once", async () => {
    const texts = await streamedTexts(chatOf(pool));
    expect(texts.filter((text) => text !== "").length).toBeGreaterThan(1);
    expect(texts.join("")).toMatch(replyTo("Hello"));
  });

  it("calls tools and takes their answers", async () => {
    const chat = chatOf(pool).bindTools([
      {
        name: "weather",
        description: "Tells the weather of a city",
        schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    ]);
    const question = new HumanMessage("call weather");
    const asked = await chat.invoke([question]);
    const [call] = asked.tool_calls ?? [];
    expect(call).toMatchObject({ name: "weather", args: { city: "city" } });
    const result = new ToolMessage({ name: "weather", tool_call_id: call?.id ?? "", content: "clear" });
    const answer = await chat.invoke([question, asked, result]);
    expect(answer.text).toMatch(replyToTool("clear"));
  });

  it("embeds one text and many", async () => {
    const one = await embeddingsOf(pool).embedQuery("a");
    expect(one).toHaveLength(EMBEDDING_LENGTH);
    const many = await embeddingsOf(pool).embedDocuments(["a", "b"]);
    expect(many).toHaveLength(2);
    expect(many[0]).toEqual(one);
    expect(many[1]).not.toEqual(one);
  });

  it("sees its own mistake as its own error, after one call although it may retry", async () => {
    pool.emulator.calls.reset();
    const chat = new ChatGoogleGenerativeAI({ model: EMBEDDING_MODEL, apiKey: "any", baseUrl: pool.url });
    await expect(chat.invoke("Hello")).rejects.toMatchObject({ status: 404 });
    expect(upstreamStatuses(pool.emulator)).toEqual([404]);
  });
});

it("does not see the failure of a key, unary or streaming", async () => {
  await using pool = await startSparePool();
  suspendNext(pool.emulator);
  expect((await chatOf(pool).invoke("Hello")).text).toMatch(replyTo("Hello"));
  emptyNext(pool.emulator);
  expect((await streamedTexts(chatOf(pool))).join("")).toMatch(replyTo("Hello"));
  expect(upstreamStatuses(pool.emulator)).toEqual([403, 200, 200, 200]);
});

it("is told 429 and when to come back once all quota is used up, and retries nothing by itself", async () => {
  await using pool = await startExhaustedPool();
  const chat = new ChatGoogleGenerativeAI({ model: CHAT_MODEL, apiKey: "any", baseUrl: pool.url });
  await expect(chat.invoke("Hello")).rejects.toMatchObject({
    status: 429,
    // Headers do not reach the caller of this client; RetryInfo does.
    errorDetails: [{ retryDelay: expect.stringMatching(/^(?:29|3[0-2])s$/) }],
  });
  await pool.requestLogged();
  expect(pool.logLines.filter((line) => line.includes('"msg":"request"'))).toHaveLength(1);
  expect(upstreamStatuses(pool.emulator)).toEqual([429, 429]);
});

// A late error reaches nobody here: the client drops the event without candidates. What counts is that it neither
// throws from nowhere (an unhandled rejection fails the run) nor repeats text.
it.each([
  ["the upstream reports an error", overloadNextMidStream, "overloaded"],
  ["the upstream's connection breaks", breakNextMidStream, "broken"],
])("ends its stream early and in peace when %s mid-stream", async (_, breakStream, outcome) => {
  await using pool = await startPool();
  breakStream(pool.emulator);
  const text = (await streamedTexts(chatOf(pool))).join("");
  expect(text).toMatch(/^Hello from project/);
  expect(text).not.toMatch(replyTo("Hello"));
  expect(await pool.requestLogged()).toMatchObject({ outcome });
});

it("shows the auth key as its API key, below a path prefix", async () => {
  await using pool = await startGuardedPool();
  expect((await chatOf(pool, TEAM_SECRET).invoke("Hello")).text).toMatch(replyTo("Hello"));
  expect(await pool.requestLogged()).toMatchObject({ client: "team", status: 200 });
  await expect(chatOf(pool, "test-wrong-secret").invoke("Hello")).rejects.toMatchObject({ status: 401 });
  expect(pool.emulator.calls.total).toBe(1);
});
