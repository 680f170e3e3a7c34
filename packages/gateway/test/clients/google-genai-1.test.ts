import type { GoogleGenAI as NewestGoogleGenAI } from "@google/genai";
import { ApiError, GoogleGenAI } from "@google/genai-1";
import { expect, it } from "vitest";
import { breakNextMidStream, CHAT_MODEL, overloadNextMidStream } from "../harness/client-pools.ts";
import { startPool } from "../harness/pool.ts";
import { promiseGoogleGenAi } from "./google-genai-promises.ts";

promiseGoogleGenAi({
  // The calls tested are the same in both; private fields and enums make the types foreign to each other.
  create: (options) => new GoogleGenAI(options) as unknown as NewestGoogleGenAI,
  ApiError,
  apiVersion: "v1beta",
});

it.each([
  ["the upstream reports an error", overloadNextMidStream],
  ["the upstream's connection breaks", breakNextMidStream],
])(
  "ends its stream without a throw when %s mid-stream: this version does not know late errors",
  async (_, breakStream) => {
    await using pool = await startPool();
    const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: pool.url } });
    breakStream(pool.emulator);
    const stream = await ai.models.generateContentStream({ model: CHAT_MODEL, contents: "Hello" });
    const finishReasons: unknown[] = [];
    for await (const chunk of stream) finishReasons.push(chunk.candidates?.[0]?.finishReason);
    // Two events of text, then the error as a chunk without candidates: its missing finish reason is the only sign.
    expect(finishReasons).toEqual([undefined, undefined, undefined]);
  },
);
