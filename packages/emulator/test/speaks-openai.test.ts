import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import { errorOf, get, post } from "./client.ts";

const CHAT = "/v1beta/openai/chat/completions";
const hello = { model: "gemini-2.5-flash", messages: [{ role: "user", content: "hi" }] };

interface Completion {
  readonly choices: readonly {
    readonly message: { readonly content: string | null; readonly tool_calls?: readonly unknown[] };
    readonly finish_reason: string;
  }[];
}

describe("speaks the OpenAI dialect", () => {
  it("completes, and calls tools", async () => {
    await using emulator = await startEmulator();
    const answer = (await (await post(emulator, CHAT, hello)).json()) as Completion;
    expect(answer.choices[0]?.message.content).toBe('Hello from project alpha: you said "hi"');
    expect((await post(emulator, "/v1beta:chatCompletions", hello)).status).toBe(200);
    const tools = [
      { type: "function", function: { name: "look_up", parameters: { type: "object", properties: {} } } },
    ];
    const call = (await (
      await post(emulator, CHAT, { ...hello, tools, tool_choice: "required" })
    ).json()) as Completion;
    expect(call.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ type: "function", function: { name: "look_up", arguments: "{}" } }] },
    });
  });

  it("streams chunks, usage when asked, and [DONE]", async () => {
    await using emulator = await startEmulator();
    const request = { ...hello, stream: true, stream_options: { include_usage: true } };
    const frames = (await (await post(emulator, CHAT, request)).text()).split("\n\n");
    expect(frames.slice(-2)).toEqual(["data: [DONE]", ""]);
    const chunks = frames.slice(0, -2).map((frame) => JSON.parse(frame.slice("data: ".length)) as object);
    expect(chunks).toHaveLength(5);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 1 } });
  });

  it("embeds as numbers and as packed floats, equal ones", async () => {
    await using emulator = await startEmulator();
    const request = { model: "gemini-embedding-001", input: ["a", "b"], dimensions: 16 };
    const embed = async (format: string) => {
      const response = await post(emulator, "/v1beta/openai/embeddings", {
        ...request,
        encoding_format: format,
      });
      return ((await response.json()) as { data: { embedding: number[] | string }[] }).data;
    };
    const [first, second] = await embed("float");
    const [packed] = await embed("base64");
    const bytes = Buffer.from(String(packed?.embedding), "base64");
    const unpacked = Array.from({ length: 16 }, (_, index) => bytes.readFloatLE(index * 4));
    expect(unpacked).toEqual(first?.embedding);
    expect(second?.embedding).not.toEqual(first?.embedding);
  });

  it("lists models with their prefix, and knows no responses route", async () => {
    await using emulator = await startEmulator();
    const list = (await (await get(emulator, "/v1beta/openai/models")).json()) as { data: { id: string }[] };
    expect(list.data.map((model) => model.id)).toContain("models/gemini-2.5-flash");
    expect((await get(emulator, "/v1beta/openai/models/gemini-2.5-flash")).status).toBe(200);
    const responses = await post(emulator, "/v1beta/openai/responses", {
      model: "gemini-2.5-flash",
      input: "hi",
    });
    expect(responses.status).toBe(404);
    expect(await responses.text()).toBe("");
  });

  it("wraps errors in a list, in a stream too", async () => {
    await using emulator = await startEmulator();
    const lost = await post(emulator, CHAT, { ...hello, model: "nonsense" });
    expect((await errorOf(lost)).code).toBe(404);
    emulator.fault({ fault: { kind: "late-error-event" } });
    const text = await (await post(emulator, CHAT, { ...hello, stream: true })).text();
    expect(text).toMatch(/^data: \{.*\n\ndata: \[\{"error":\{"code":503,.*\}\}\]\n\n$/);
  });
});
