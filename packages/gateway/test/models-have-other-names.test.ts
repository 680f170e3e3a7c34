/** Aliases of models work wherever a client names a model, and nothing behind the door ever hears of them. */
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { expect, it } from "vitest";
import { collect } from "./harness/collect.ts";
import { afterSetup, CONSTRAINED_PATH, LIVE_MODEL, LiveClient, startLiveUpstream } from "./harness/live.ts";
import { startPool, type Pool } from "./harness/pool.ts";

const MODEL = "gemini-2.5-flash";
const ALIASES = [
  `gpt-4o-mini=${MODEL}`,
  "openai/gpt-4o=gemini-2.5-pro",
  "text-embedding-3-small=gemini-embedding-001",
  "gone=made-up",
  `gpt-realtime=${LIVE_MODEL.slice("models/".length)}`,
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

it("in Live sessions, also those of tokens that were made for one", () =>
  withPool(async (pool) => {
    const options = { apiKey: "client", httpOptions: { baseUrl: pool.url, apiVersion: "v1alpha" } };
    const { name = "" } = await new GoogleGenAI(options).authTokens.create({
      config: { liveConnectConstraints: { model: "gpt-realtime" } },
    });
    const [call] = pool.emulator.calls.recent();
    expect(call?.body.toString()).toContain(LIVE_MODEL);
    for (const client of [
      new LiveClient(pool.url),
      new LiveClient(pool.url, `${CONSTRAINED_PATH}?access_token=${name}`),
    ]) {
      await client.send({ setup: { model: "models/gpt-realtime" } });
      await client.next("setupComplete");
      expect(await client.say("hello")).toContain("Hello");
      client.socket.close();
    }
    await pool.requestLogged(
      ({ model, path }) => `models/${model}` === LIVE_MODEL && path.startsWith("/ws/"),
    );
    expect(pool.emulator.calls.byModel(LIVE_MODEL.slice("models/".length))).toBe(2);
  }));

it("in Live sessions, of whose setup no other byte changes", async () => {
  const setups: string[] = [];
  await using upstream = await startLiveUpstream((socket) => {
    socket.once("message", (data: Buffer) => setups.push(data.toString()));
    afterSetup(() => {})(socket);
  });
  await using pool = await startPool({ upstream: upstream.url, flags: { "model-alias": ALIASES } });
  const setup = (model: string): string =>
    `{ "setup": {"systemInstruction": {"parts":[{"text":"model: gpt-realtime"}]},  "mod\\u0065l" :"${model}", "tools":[] }}`;
  for (const model of ["gpt-realtime", "models/gpt-re\\u0061ltime", "models/gpt-other"]) {
    const client = new LiveClient(pool.url);
    await client.opened;
    client.socket.send(setup(model));
    await client.next("setupComplete");
    client.socket.close();
  }
  expect(setups).toEqual([setup(LIVE_MODEL.slice(7)), setup(LIVE_MODEL), setup("models/gpt-other")]);
});
