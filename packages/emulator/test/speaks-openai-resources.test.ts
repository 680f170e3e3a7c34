import { describe, expect, it } from "vitest";
import { ask, BETA, made, startProjects } from "./projects.ts";
import type { Json } from "./projects.ts";
import type { Emulator } from "../src/emulator.ts";

const FILES = "/v1beta/openai/files";
const BATCHES = "/v1beta/openai/batches";

function upload(emulator: Emulator, text: string): Promise<Json> {
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob([text], { type: "application/octet-stream" }), "b.jsonl");
  return made(emulator, FILES, { body: form });
}

describe("keeps files in OpenAI's shape", () => {
  it("from form data to content and deletion, with percent-encoded ids", async () => {
    await using emulator = await startProjects();
    const file = await upload(emulator, "{}\n");
    expect(file).toMatchObject({
      object: "file",
      bytes: 3,
      filename: "b.jsonl",
      purpose: "batch",
      status: "processed",
    });
    const id = String(file["id"]);
    expect(id).toMatch(/^files\/\w+$/);
    for (const written of [encodeURIComponent(id), id]) {
      expect(await made(emulator, `${FILES}/${written}`)).toEqual(file);
    }
    expect(await (await ask(emulator, `${FILES}/${encodeURIComponent(id)}/content`)).text()).toBe("{}\n");
    expect((await made(emulator, FILES))["data"]).toEqual([file]);
    const foreign = await ask(emulator, `${FILES}/${encodeURIComponent(id)}`, { key: BETA });
    expect([foreign.status, await foreign.json()]).toMatchObject([403, [{ error: { code: 403 } }]]);
    expect(await made(emulator, `/v1beta/${id}`)).toMatchObject({ name: id });
    expect(await made(emulator, `${FILES}/${id}`, { method: "DELETE" })).toMatchObject({ deleted: true });
    expect((await made(emulator, FILES))["data"]).toEqual([]);
  });
});

describe("works on batches in OpenAI's shape", () => {
  it("by polls, with a file of answers", async () => {
    await using emulator = await startProjects();
    const body = { model: "gemini-2.5-flash", messages: [{ role: "user", content: "hi" }] };
    const line = { custom_id: "c1", method: "POST", url: "/v1/chat/completions", body };
    const broken = { custom_id: "c2", method: "POST", url: "/v1/chat/completions", body: {} };
    const { id: input } = await upload(emulator, `${JSON.stringify(line)}\n${JSON.stringify(broken)}\n`);
    const wish = { input_file_id: input, endpoint: "/v1/chat/completions", completion_window: "24h" };
    const created = await made(emulator, BATCHES, { body: wish });
    expect(created).toMatchObject({
      object: "batch",
      status: "validating",
      id: expect.stringMatching(/^batches\//) as string,
    });
    const path = `${BATCHES}/${encodeURIComponent(String(created["id"]))}`;
    expect((await made(emulator, path))["status"]).toBe("in_progress");
    const done = await made(emulator, path);
    expect(done).toMatchObject({
      status: "completed",
      request_counts: { total: 2, completed: 1, failed: 1 },
    });
    const output = await ask(
      emulator,
      `${FILES}/${encodeURIComponent(String(done["output_file_id"]))}/content`,
    );
    const [first, second] = (await output.text())
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Json);
    expect(first).toMatchObject({ custom_id: "c1", response: { status_code: 200 } });
    expect(JSON.stringify(first)).toContain("Hello from project alpha");
    expect(second).toMatchObject({ custom_id: "c2", error: { code: 400 } });
    expect((await made(emulator, BATCHES))["data"]).toHaveLength(1);
    expect((await ask(emulator, path, { key: BETA })).status).toBe(403);
  });

  it("and cancels", async () => {
    await using emulator = await startProjects();
    const { id: input } = await upload(emulator, "{}\n");
    const { id } = await made(emulator, BATCHES, {
      body: { input_file_id: input, endpoint: "/v1/chat/completions" },
    });
    const path = `${BATCHES}/${encodeURIComponent(String(id))}/cancel`;
    expect((await made(emulator, path, { method: "POST" }))["status"]).toBe("cancelled");
  });
});

describe("makes images", () => {
  it.each(["imagen-4.0-generate-001", "gemini-3.1-flash-image"])("with %s", async (model) => {
    await using emulator = await startProjects();
    const { data } = await made(emulator, "/v1beta/openai/images/generations", {
      body: { model, prompt: "x", n: 2 },
    });
    const images = data as { b64_json: string }[];
    expect(images).toHaveLength(2);
    expect(Buffer.from(images[0]?.b64_json ?? "", "base64").toString("latin1")).toContain("PNG");
  });
});
