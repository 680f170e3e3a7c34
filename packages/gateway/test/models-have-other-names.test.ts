/** Aliases of models work wherever a client names a model, and nothing behind the door ever hears of them. */
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { expect, it } from "vitest";
import { collect } from "./harness/collect.ts";
import { startPool, type Pool } from "./harness/pool.ts";

const MODEL = "gemini-2.5-flash";
const ALIASES = [
  `gpt-4o-mini=${MODEL}`,
  "openai/gpt-4o=gemini-2.5-pro",
  "text-embedding-3-small=gemini-embedding-001",
  "gone=made-up",
];
const MESSAGES = [{ role: "user" as const, content: "Hello" }];

async function withPool(promise: (pool: Pool, openai: OpenAI) => Promise<void>): Promise<void> {
  await using pool = await startPool({ flags: { "model-alias": ALIASES } });
  const openai = new OpenAI({ apiKey: "client", baseURL: `${pool.url}/v1beta/openai`, maxRetries: 0 });
  await promise(pool, openai);
  for (const { path, body } of pool.emulator.calls.recent())
    expect(path + body.toString()).not.toMatch(/gpt-|text-embedding/);
}

it("in OpenAI's requests, whose answers name the model", () =>
  withPool(async (pool, openai) => {
    const answer = await openai.chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES });
    expect(answer).toMatchObject({ model: MODEL, choices: [{ finish_reason: "stop" }] });
    const stream = await openai.chat.completions.create({
      model: "models/openai/gpt-4o",
      messages: MESSAGES,
      stream: true,
    });
    expect((await collect(stream)).length).toBeGreaterThan(1);
    expect(pool.emulator.calls.byModel("gemini-2.5-pro")).toBe(1);
    const embedded = await openai.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"] });
    expect(embedded.data).toHaveLength(2);
    await pool.requestLogged(({ model }) => model === MODEL);
  }));

it("in native requests, also in the requests that a body wraps", () =>
  withPool(async (pool) => {
    const ai = new GoogleGenAI({ apiKey: "client", httpOptions: { baseUrl: pool.url } });
    const answer = await ai.models.generateContent({ model: "gpt-4o-mini", contents: "Hello" });
    expect(answer.text).toContain("Hello");
    const stream = await ai.models.generateContentStream({ model: "gpt-4o-mini", contents: "Hello" });
    expect((await collect(stream)).length).toBeGreaterThan(1);
    const embedded = await ai.models.embedContent({ model: "text-embedding-3-small", contents: ["a", "b"] });
    expect(embedded.embeddings).toHaveLength(2);
    expect(await ai.models.get({ model: "gpt-4o-mini" })).toMatchObject({ name: `models/${MODEL}` });
    expect(pool.emulator.calls.byModel(MODEL)).toBe(3);
  }));

it("in interactions and caches", () =>
  withPool(async (pool) => {
    for (const [path, body] of [
      ["/v1beta/interactions", { model: "gpt-4o-mini", input: "Hello" }],
      [
        "/v1beta/cachedContents",
        { model: "models/gpt-4o-mini", contents: [{ parts: [{ text: "x".repeat(9_000) }] }] },
      ],
    ] as const) {
      const answer = await fetch(pool.url + path, { method: "POST", body: JSON.stringify(body) });
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining(MODEL)]);
    }
  }));
