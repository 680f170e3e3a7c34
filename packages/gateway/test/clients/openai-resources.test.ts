/** OpenAI's client does with five projects what it does with one: its files and batches are of their projects. */
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHAT_MODEL, EMBEDDING_MODEL } from "../harness/client-pools.ts";
import { collect } from "../harness/collect.ts";
import { startPool, type Pool } from "../harness/pool.ts";

const PROJECTS = ["alpha", "beta", "gamma", "delta", "epsilon"].map((name) => ({
  name,
  keys: [`test-key-${name}-1`, `test-key-${name}-2`],
}));
const IMAGE_MODEL = "imagen-4.0-generate-001";
const BATCH_LINE = JSON.stringify({
  custom_id: "1",
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: CHAT_MODEL, messages: [{ role: "user", content: "Hello" }] },
});

let pool: Pool;
let openai: OpenAI;
beforeAll(async () => {
  pool = await startPool({
    projects: PROJECTS,
    flags: { "model-alias": [`gpt-4o-mini=${CHAT_MODEL}`, `dall-e-3=${IMAGE_MODEL}`] },
  });
  openai = clientOf(pool);
});
afterAll(() => pool[Symbol.asyncDispose]());

function clientOf({ url }: Pool): OpenAI {
  return new OpenAI({ apiKey: "client", baseURL: `${url}/v1beta/openai/`, maxRetries: 0 });
}

async function upload(name: string): Promise<string> {
  const file = await toFile(Buffer.from(`${BATCH_LINE}\n`), name, { type: "application/jsonl" });
  const { id } = await openai.files.create({ file, purpose: "batch" });
  expect(id).toMatch(/^files\//);
  return id;
}

/** Does it and says that no project was asked for what another has. */
async function atOwners<T>(act: () => Promise<T>): Promise<T> {
  pool.emulator.calls.reset();
  const result = await act();
  expect(pool.emulator.calls.foreignHits).toBe(0);
  return result;
}

describe("OpenAI's client", () => {
  it("uploads, lists, reads and deletes files, before and after a restart", async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, index) => upload(`f${index}.jsonl`)));
    expect(new Set(ids.map((id) => pool.emulator.ownerOf(id))).size).toBeGreaterThan(1);
    const listed = async (): Promise<string[]> =>
      (await collect(openai.files.list({ limit: 3 }))).map(({ id }) => id);
    expect(new Set(await atOwners(listed))).toEqual(new Set(ids));
    await pool.restart();
    openai = clientOf(pool);
    await atOwners(async () => {
      for (const id of ids) {
        expect(await openai.files.retrieve(id)).toMatchObject({ id, object: "file" });
        const content = await openai.files.content(id);
        expect(await content.text()).toBe(`${BATCH_LINE}\n`);
      }
      for (const id of ids.slice(2)) expect((await openai.files.delete(id)).deleted).toBe(true);
    });
    expect(new Set(await atOwners(listed))).toEqual(new Set(ids.slice(0, 2)));
  });

  it("runs batches, whose ids hold a slash that it encodes", async () => {
    const inputs = [await upload("a.jsonl"), await upload("b.jsonl"), await upload("c.jsonl")];
    const create = (input: string): Promise<OpenAI.Batch> =>
      openai.batches.create({
        input_file_id: input,
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
      });
    const batches = await atOwners(() => Promise.all(inputs.map(create)));
    const ids = batches.map(({ id }) => id);
    expect(ids.every((id) => id.startsWith("batches/"))).toBe(true);
    const listed = (await atOwners(() => collect(openai.batches.list({ limit: 2 })))).map(({ id }) => id);
    expect(new Set(listed)).toEqual(new Set(ids));
    const [polled = "", cancelled = ""] = ids;
    await atOwners(async () => {
      expect((await openai.batches.cancel(cancelled)).id).toBe(cancelled);
      let batch = await openai.batches.retrieve(polled);
      for (let poll = 0; poll < 10 && batch.status !== "completed"; poll += 1)
        batch = await openai.batches.retrieve(polled);
      expect(batch.status).toBe("completed");
      const output = await openai.files.content(batch.output_file_id ?? "");
      expect(await output.text()).toContain("Hello");
    });
    expect(pool.emulator.calls.recent().some(({ path }) => path.includes("batches%2F"))).toBe(true);
  });

  it("makes images, embeds, and chats by names that only it knows", async () => {
    const image = await openai.images.generate({ model: "dall-e-3", prompt: "a dot" });
    expect(image.data?.[0]?.b64_json).toMatch(/^iVBOR/);
    const embedded = await openai.embeddings.create({ model: EMBEDDING_MODEL, input: "a" });
    expect(embedded.data).toHaveLength(1);
    const stream = await openai.chat.completions.create({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "Hello" }],
      stream: true,
    });
    const chunks = await collect(stream);
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set([CHAT_MODEL]));
    const names = (await collect(openai.models.list())).map(({ id }) => id);
    expect(names).toEqual(expect.arrayContaining(["gpt-4o-mini", "dall-e-3", `models/${CHAT_MODEL}`]));
  });
});
