import { ApiError, GoogleGenAI } from "@google/genai";
import { expect, it } from "vitest";
import { breakNextMidStream, CHAT_MODEL, overloadNextMidStream } from "../harness/client-pools.ts";
import { startPool } from "../harness/pool.ts";
import { promiseGoogleGenAi } from "./google-genai-promises.ts";

promiseGoogleGenAi({ create: (options) => new GoogleGenAI(options), ApiError, apiVersion: "v1" });

it.each([
  ["the upstream reports an error", overloadNextMidStream, "high demand"],
  ["the upstream's connection breaks", breakNextMidStream, "broke off"],
])("throws its ApiError 503 when %s mid-stream", async (_, breakStream, words) => {
  await using pool = await startPool();
  const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: pool.url } });
  breakStream(pool.emulator);
  const stream = await ai.models.generateContentStream({ model: CHAT_MODEL, contents: "Hello" });
  let chunks = 0;
  const reading = async (): Promise<void> => {
    for await (const chunk of stream) chunks += chunk.text === undefined ? 0 : 1;
  };
  const error: unknown = await reading().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 503 });
  expect(String(error)).toContain(words);
  expect(chunks).toBe(2);
});
