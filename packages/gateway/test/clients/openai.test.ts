import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from "openai";
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

type Message = OpenAI.Chat.ChatCompletionMessageParam;

const HELLO: Message[] = [{ role: "user", content: "Hello" }];
const WEATHER_TOOL: OpenAI.Chat.ChatCompletionTool = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};

/** A client of the pool. It retries nothing by itself, so that what is seen is the gateway's doing. */
function clientOf(pool: Pool, options: { apiKey?: string; basePath?: string } = {}): OpenAI {
  const { apiKey = "any", basePath = "/v1beta/openai/" } = options;
  return new OpenAI({ apiKey, baseURL: pool.url + basePath, maxRetries: 0 });
}

async function streamedTexts(openai: OpenAI): Promise<string[]> {
  const stream = await openai.chat.completions.create({ model: CHAT_MODEL, messages: HELLO, stream: true });
  return (await collect(stream)).map(({ choices }) => choices[0]?.delta.content ?? "");
}

describe("served", () => {
  let pool: Pool;
  let openai: OpenAI;
  beforeAll(async () => {
    pool = await startPool();
    openai = clientOf(pool);
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  // The paths of base URLs that clients and their users insist on.
  it.each(["/v1beta/openai/", "/v1beta/openai", "/openai/v1", "/openai", "/v1"])(
    "completes a chat with a base URL that ends in %s",
    async (basePath) => {
      const client = clientOf(pool, { basePath });
      const answer = await client.chat.completions.create({ model: CHAT_MODEL, messages: HELLO });
      expect(answer.choices[0]?.message.content).toMatch(replyTo("Hello"));
      expect(answer.usage?.total_tokens).toBeGreaterThan(0);
      expect(pool.emulator.calls.recent().at(-1)?.path).toBe("/v1beta/openai/chat/completions");
    },
  );

  it("streams each piece of the answer once", async () => {
    const texts = await streamedTexts(openai);
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.join("")).toMatch(replyTo("Hello"));
  });

  it("streams the usage when it is asked for, and the gateway logs it", async () => {
    const stream = await openai.chat.completions.create({
      model: CHAT_MODEL,
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    const totalTokens = (await collect(stream)).at(-1)?.usage?.total_tokens;
    expect(totalTokens).toBeGreaterThan(0);
    await pool.requestLogged((row) => row.totalTokens === totalTokens);
  });

  it("calls tools and takes their answers", async () => {
    const question: Message = { role: "user", content: "call weather" };
    const request = { model: CHAT_MODEL, tools: [WEATHER_TOOL] };
    const asked = await openai.chat.completions.create({ ...request, messages: [question] });
    const message = asked.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    expect(call).toMatchObject({
      type: "function",
      function: { name: "weather", arguments: '{"city":"city"}' },
    });
    // A signature that Google wants back: `extra_content` is none of OpenAI's fields and has to survive all the same.
    expect(call).toHaveProperty("extra_content.google.thought_signature");
    const result: Message = { role: "tool", tool_call_id: call?.id ?? "", content: "clear" };
    const messages = [question, message, result] as Message[];
    const answer = await openai.chat.completions.create({ ...request, messages });
    expect(answer.choices[0]?.message.content).toMatch(replyToTool("clear"));
  });

  it("streams a call of a tool, which is an answer without any text", async () => {
    const stream = await openai.chat.completions.create({
      model: CHAT_MODEL,
      messages: HELLO,
      tools: [WEATHER_TOOL],
      tool_choice: "required",
      stream: true,
    });
    const chunks = await collect(stream);
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    expect(calls).toMatchObject([{ function: { name: "weather", arguments: '{"city":"city"}' } }]);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
  });

  it("embeds one text and many, packed in base64 as the client asks by default", async () => {
    const one = await openai.embeddings.create({ model: EMBEDDING_MODEL, input: "a" });
    expect(one.data.map(({ embedding }) => embedding.length)).toEqual([EMBEDDING_LENGTH]);
    const many = await openai.embeddings.create({ model: EMBEDDING_MODEL, input: ["a", "b"] });
    expect(many.data).toHaveLength(2);
    expect(many.data[0]?.embedding).toEqual(one.data[0]?.embedding);
    expect(many.data[1]?.embedding).not.toEqual(one.data[0]?.embedding);
  });

  it("lists models and gets one, by the name with or without its prefix", async () => {
    const ids = (await collect(openai.models.list())).map(({ id }) => id);
    expect(ids).toContain(`models/${CHAT_MODEL}`);
    for (const name of [CHAT_MODEL, `models/${CHAT_MODEL}`]) {
      expect((await openai.models.retrieve(name)).id).toBe(`models/${CHAT_MODEL}`);
    }
  });

  it("sees its own mistake as its own error, after one call", async () => {
    pool.emulator.calls.reset();
    const refused = openai.chat.completions.create({ model: CHAT_MODEL, messages: [] });
    await expect(refused).rejects.toBeInstanceOf(BadRequestError);
    expect(upstreamStatuses(pool.emulator)).toEqual([400]);
  });

  it("sees that Google has no Responses API, after one call", async () => {
    pool.emulator.calls.reset();
    const refused = openai.responses.create({ model: CHAT_MODEL, input: "Hello" });
    await expect(refused).rejects.toBeInstanceOf(NotFoundError);
    expect(upstreamStatuses(pool.emulator)).toEqual([404]);
  });
});

it("does not see the failure of a key, unary or streaming", async () => {
  await using pool = await startSparePool();
  const openai = clientOf(pool);
  suspendNext(pool.emulator);
  const answer = await openai.chat.completions.create({ model: CHAT_MODEL, messages: HELLO });
  expect(answer.choices[0]?.message.content).toMatch(replyTo("Hello"));
  emptyNext(pool.emulator);
  expect((await streamedTexts(openai)).join("")).toMatch(replyTo("Hello"));
  expect(upstreamStatuses(pool.emulator)).toEqual([403, 200, 200, 200]);
});

it("is told 429 and when to come back once all quota is used up", async () => {
  await using pool = await startExhaustedPool();
  const error: unknown = await clientOf(pool)
    .chat.completions.create({ model: CHAT_MODEL, messages: HELLO })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RateLimitError);
  const seconds = Number((error as RateLimitError).headers.get("retry-after"));
  expect(seconds).toBeGreaterThanOrEqual(RETRY_AFTER_MIN_SECONDS);
  expect(seconds).toBeLessThanOrEqual(RETRY_AFTER_MAX_SECONDS);
  expect(upstreamStatuses(pool.emulator)).toEqual([429, 429]);
});

it("throws its APIError when the upstream's connection breaks mid-stream", async () => {
  await using pool = await startPool();
  breakNextMidStream(pool.emulator);
  const error: unknown = await streamedTexts(clientOf(pool)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(APIError);
  expect(String(error)).toContain("broke off");
});

it("gets an error the upstream reports mid-stream as the upstream sent it, a list the client takes for a chunk", async () => {
  await using pool = await startPool();
  overloadNextMidStream(pool.emulator);
  const openai = clientOf(pool);
  const stream = await openai.chat.completions.create({ model: CHAT_MODEL, messages: HELLO, stream: true });
  expect((await collect(stream)).at(-1)).toMatchObject([{ error: { code: 503, status: "UNAVAILABLE" } }]);
  expect(await pool.requestLogged()).toMatchObject({ outcome: "overloaded" });
});

it("shows the auth key as its bearer token, below a path prefix", async () => {
  await using pool = await startGuardedPool();
  const answer = await clientOf(pool, { apiKey: TEAM_SECRET }).chat.completions.create({
    model: CHAT_MODEL,
    messages: HELLO,
  });
  expect(answer.choices[0]?.message.content).toMatch(replyTo("Hello"));
  expect(await pool.requestLogged()).toMatchObject({ client: "team", status: 200 });
  const stranger = clientOf(pool, { apiKey: "test-wrong-secret" });
  await expect(stranger.models.list()).rejects.toBeInstanceOf(AuthenticationError);
  expect(pool.emulator.calls.total).toBe(1);
});
