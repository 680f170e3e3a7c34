/**
 * What `@google/genai` is promised, whatever its major version: both versions' tests run this, each with its own class.
 */
import type { GoogleGenAI, GoogleGenAIOptions } from "@google/genai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CHAT_MODEL,
  EMBEDDING_LENGTH,
  EMBEDDING_MODEL,
  emptyNext,
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

/** The version under test. */
export interface GoogleGenAiVersion {
  create(options: GoogleGenAIOptions): GoogleGenAI;
  /** The version's own error class. */
  readonly ApiError: new (...args: never[]) => Error & { readonly status: number };
  /** The API version in the paths it asks for. */
  readonly apiVersion: "v1" | "v1beta";
}

const WEATHER_TOOL = {
  functionDeclarations: [
    {
      name: "weather",
      description: "Tells the weather of a city",
      parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  ],
};

/** Declares the tests of one version. */
export function promiseGoogleGenAi(version: GoogleGenAiVersion): void {
  const clientOf = (pool: Pool, apiKey = "any"): GoogleGenAI =>
    version.create({ apiKey, httpOptions: { baseUrl: pool.url } });

  describe("served", () => {
    let pool: Pool;
    let ai: GoogleGenAI;
    beforeAll(async () => {
      pool = await startPool();
      ai = clientOf(pool);
    });
    afterAll(() => pool[Symbol.asyncDispose]());

    it("generates", async () => {
      const answer = await ai.models.generateContent({ model: CHAT_MODEL, contents: "Hello" });
      expect(answer.text).toMatch(replyTo("Hello"));
      expect(answer.usageMetadata?.totalTokenCount).toBeGreaterThan(0);
      expect(pool.emulator.calls.recent().at(-1)?.path).toBe(
        `/${version.apiVersion}/models/${CHAT_MODEL}:generateContent`,
      );
    });

    it("streams each piece of the answer once", async () => {
      const stream = await ai.models.generateContentStream({ model: CHAT_MODEL, contents: "Hello" });
      const texts = (await collect(stream)).map(({ text }) => text ?? "");
      expect(texts.length).toBeGreaterThan(1);
      expect(texts.join("")).toMatch(replyTo("Hello"));
    });

    it("calls tools and takes their answers", async () => {
      const question = { role: "user", parts: [{ text: "call weather" }] };
      const config = { tools: [WEATHER_TOOL] };
      const asked = await ai.models.generateContent({ model: CHAT_MODEL, contents: [question], config });
      expect(asked.functionCalls).toMatchObject([{ name: "weather", args: { city: "city" } }]);
      const call = asked.candidates?.[0]?.content;
      const result = {
        role: "user",
        parts: [{ functionResponse: { name: "weather", response: { sky: "clear" } } }],
      };
      const contents = [question, call ?? {}, result];
      const answer = await ai.models.generateContent({ model: CHAT_MODEL, contents, config });
      expect(answer.text).toMatch(replyToTool("clear"));
      // What the model signed went back to it unchanged.
      const sent = JSON.parse(String(pool.emulator.calls.recent().at(-1)?.body)) as { contents: unknown[] };
      expect(sent.contents[1]).toEqual(call);
    });

    it("streams a call of a tool, which is an answer without any text", async () => {
      const stream = await ai.models.generateContentStream({
        model: CHAT_MODEL,
        contents: "call weather",
        config: { tools: [WEATHER_TOOL] },
      });
      const calls = (await collect(stream)).flatMap(({ functionCalls }) => functionCalls ?? []);
      expect(calls).toMatchObject([{ name: "weather", args: { city: "city" } }]);
    });

    it("streams the model's thoughts before its answer", async () => {
      const stream = await ai.models.generateContentStream({
        model: "gemini-2.5-pro",
        contents: "Hello",
        config: { thinkingConfig: { includeThoughts: true } },
      });
      const chunks = await collect(stream);
      expect(chunks[0]?.candidates?.[0]?.content?.parts).toMatchObject([{ thought: true }]);
      const texts = chunks.map(({ text }) => text ?? "");
      expect(texts.join("")).toMatch(replyTo("Hello"));
    });

    it("gets an answer of the form it asks for", async () => {
      const answer = await ai.models.generateContent({
        model: CHAT_MODEL,
        contents: "Hello",
        config: {
          responseMimeType: "application/json",
          responseJsonSchema: { type: "object", properties: { city: { type: "string" } } },
        },
      });
      expect(JSON.parse(answer.text ?? "")).toEqual({ city: "city" });
    });

    it("counts tokens", async () => {
      const counted = await ai.models.countTokens({ model: CHAT_MODEL, contents: "four bytes make one" });
      expect(counted.totalTokens).toBe(5);
    });

    it("embeds one text and many", async () => {
      const one = await ai.models.embedContent({ model: EMBEDDING_MODEL, contents: "a" });
      expect(one.embeddings?.map(({ values }) => values?.length)).toEqual([EMBEDDING_LENGTH]);
      const many = await ai.models.embedContent({ model: EMBEDDING_MODEL, contents: ["a", "b"] });
      expect(many.embeddings).toHaveLength(2);
      expect(many.embeddings?.[0]?.values).toEqual(one.embeddings?.[0]?.values);
      expect(many.embeddings?.[1]?.values).not.toEqual(one.embeddings?.[0]?.values);
    });

    it("gets a model, and lists all of them page by page", async () => {
      const model = await ai.models.get({ model: CHAT_MODEL });
      expect(model.name).toBe(`models/${CHAT_MODEL}`);
      const pager = await ai.models.list({ config: { pageSize: 5 } });
      expect(pager.pageLength).toBe(5);
      const names = (await collect(pager)).map(({ name }) => name);
      expect(names.length).toBeGreaterThan(10);
      expect(new Set(names).size).toBe(names.length);
      expect(names).toContain(`models/${EMBEDDING_MODEL}`);
    });

    it("sees its own mistake as its own error, after one call", async () => {
      pool.emulator.calls.reset();
      const refused = ai.models.embedContent({ model: EMBEDDING_MODEL, contents: "" });
      await expect(refused).rejects.toSatisfy(isApiError(400));
      expect(upstreamStatuses(pool.emulator)).toEqual([400]);
    });
  });

  it("does not see the failure of a key, unary or streaming", async () => {
    await using pool = await startSparePool();
    const ai = clientOf(pool);
    suspendNext(pool.emulator);
    const answer = await ai.models.generateContent({ model: CHAT_MODEL, contents: "Hello" });
    expect(answer.text).toMatch(replyTo("Hello"));
    emptyNext(pool.emulator);
    const stream = await ai.models.generateContentStream({ model: CHAT_MODEL, contents: "Hello" });
    const texts = (await collect(stream)).map(({ text }) => text ?? "");
    expect(texts.join("")).toMatch(replyTo("Hello"));
    expect(upstreamStatuses(pool.emulator)).toEqual([403, 200, 200, 200]);
  });

  it("is told 429 and when to come back once all quota is used up", async () => {
    await using pool = await startExhaustedPool();
    const error = await clientOf(pool)
      .models.generateContent({ model: CHAT_MODEL, contents: "Hello" })
      .catch((reason: unknown) => reason);
    expect(error).toSatisfy(isApiError(429));
    // The class keeps no headers, but the whole body is its message.
    const seconds = Number(/"retryDelay": ?"(\d+)s"/.exec(String(error))?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(RETRY_AFTER_MIN_SECONDS);
    expect(seconds).toBeLessThanOrEqual(RETRY_AFTER_MAX_SECONDS);
    expect(upstreamStatuses(pool.emulator)).toEqual([429, 429]);
  });

  it("shows the auth key as its API key, below a path prefix", async () => {
    await using pool = await startGuardedPool();
    const known = clientOf(pool, TEAM_SECRET);
    const answer = await known.models.generateContent({ model: CHAT_MODEL, contents: "Hello" });
    expect(answer.text).toMatch(replyTo("Hello"));
    expect(await pool.requestLogged()).toMatchObject({ client: "team", status: 200 });
    const stranger = clientOf(pool, "test-wrong-secret");
    const refused = stranger.models.generateContent({ model: CHAT_MODEL, contents: "Hello" });
    await expect(refused).rejects.toSatisfy(isApiError(401));
    expect(pool.emulator.calls.total).toBe(1);
  });

  function isApiError(status: number): (error: unknown) => boolean {
    return (error) => error instanceof version.ApiError && error.status === status;
  }
}
