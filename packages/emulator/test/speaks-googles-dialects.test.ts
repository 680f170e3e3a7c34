import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import { ARRAY, errorOf, eventsOf, get, HI, post, rawPost, saying, SSE, UNARY } from "./client.ts";

interface Generated {
  readonly candidates: readonly {
    readonly content: { readonly parts?: readonly { readonly text?: string; readonly thought?: true }[] };
    readonly finishReason?: string;
  }[];
  readonly responseId: string;
}

const textOf = (answer: Generated): string => answer.candidates[0]?.content.parts?.[0]?.text ?? "";

describe("speaks Google's native dialect", () => {
  it.each(["v1", "v1beta", "v1alpha", "/v1beta"])("serves %s and names the project", async (version) => {
    await using emulator = await startEmulator();
    const response = await post(emulator, `/${version}/models/gemini-2.5-flash:generateContent`);
    expect(textOf((await response.json()) as Generated)).toBe('Hello from project alpha: you said "hi"');
  });

  it("frames server-sent events byte for byte", async () => {
    await using emulator = await startEmulator({ models: [{ name: "gemini-2.5-flash", events: 2 }] });
    const response = await post(emulator, SSE);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("content-disposition")).toBe("attachment");
    expect(response.headers.get("content-encoding")).toBeNull();
    const text = (await response.text()).replaceAll(/"responseId": "[\w-]{22}"/g, '"responseId": "ID"');
    const tail = (tokens: number, total: number) =>
      `"usageMetadata": {"promptTokenCount": 1,"candidatesTokenCount": ${tokens},"totalTokenCount": ${total},"promptTokensDetails": [{"modality": "TEXT","tokenCount": 1}],"serviceTier": "standard"},"modelVersion": "gemini-2.5-flash","responseId": "ID"}\r\n\r\n`;
    expect(text).toBe(
      `data: {"candidates": [{"content": {"parts": [{"text": "Hello from project a"}],"role": "model"},"index": 0}],${tail(5, 6)}` +
        `data: {"candidates": [{"content": {"parts": [{"text": "lpha: you said \\"hi\\""}],"role": "model"},"finishReason": "STOP","index": 0}],${tail(10, 11)}`,
    );
  });

  it("keeps one responseId in a stream, finishes in the last event, and says what the unary answer says", async () => {
    await using emulator = await startEmulator();
    const prompt = saying("stream 7 events of 64 bytes");
    const events = eventsOf(await (await post(emulator, SSE, prompt)).text()) as readonly Generated[];
    expect(events).toHaveLength(7);
    expect(new Set(events.map((event) => event.responseId)).size).toBe(1);
    expect(events.map((event) => event.candidates[0]?.finishReason)).toEqual([
      ...Array.from({ length: 6 }, () => undefined),
      "STOP",
    ]);
    const whole = (await (await post(emulator, UNARY, prompt)).json()) as Generated;
    expect(events.map(textOf).join("")).toBe(textOf(whole));
    expect(new Set(events.map(textOf)).size).toBe(7);
  });

  it("streams a JSON array without alt=sse, and wraps its errors in a list", async () => {
    await using emulator = await startEmulator();
    const text = await (await post(emulator, ARRAY)).text();
    expect(text).toMatch(/^\[\{\n/);
    expect(text).toContain("\n}\n,\r\n{\n");
    expect(text).toMatch(/\n\]\n$/);
    expect(JSON.parse(text)).toHaveLength(4);
    expect(await (await post(emulator, ARRAY, {})).text()).toMatch(/^\[\{\n {2}"error"/);
  });

  it("sends the headers of Google's front end, vary three times", async () => {
    await using emulator = await startEmulator();
    const { text } = await rawPost(emulator, UNARY).closed;
    expect(text.match(/^vary: /gm)).toHaveLength(3);
    expect(text).toMatch(/^server-timing: gfet4t7; dur=\d+\r$/m);
    expect(text).toMatch(/^server: scaffolding on HTTPServer2\r$/m);
    expect(text).toMatch(/^alt-svc: h3=":443"/m);
  });

  it("compresses whole JSON, errors too, for clients that ask", async () => {
    await using emulator = await startEmulator();
    const asking = { "x-goog-api-key": "test-key-1", "accept-encoding": "gzip" };
    const served = await post(emulator, UNARY, HI, asking);
    expect(served.headers.get("content-encoding")).toBe("gzip");
    expect(textOf((await served.json()) as Generated)).toContain("Hello");
    const refused = await post(emulator, UNARY, HI, { "accept-encoding": "gzip" });
    expect(refused.headers.get("content-encoding")).toBe("gzip");
    const plain = await post(emulator, UNARY, HI, { ...asking, "accept-encoding": "identity" });
    expect(plain.headers.get("content-encoding")).toBeNull();
  });

  it("calls a declared function when the prompt or the mode says so, and speaks of its result", async () => {
    await using emulator = await startEmulator();
    const parameters = {
      type: "OBJECT",
      properties: { city: { type: "STRING" }, days: { type: "INTEGER" } },
    };
    const tools = [{ functionDeclarations: [{ name: "get_weather", parameters }] }];
    const call = { functionCall: { name: "get_weather", args: { city: "city", days: 1 } } };
    const forced = { toolConfig: { functionCallingConfig: { mode: "ANY" } } };
    for (const request of [
      { ...saying("please call get_weather"), tools },
      { ...HI, tools, ...forced },
    ]) {
      const answer = (await (await post(emulator, UNARY, request)).json()) as Generated;
      expect(answer.candidates[0]?.content.parts?.[0]).toMatchObject(call);
    }
    const response = { functionResponse: { name: "get_weather", response: { sky: "blue" } } };
    const answered = { contents: [...HI.contents, { role: "user", parts: [response] }], tools };
    const spoken = (await (await post(emulator, UNARY, answered)).json()) as Generated;
    expect(textOf(spoken)).toContain('{"sky":"blue"}');
  });

  it("shows thoughts when asked, and cuts at maxOutputTokens", async () => {
    await using emulator = await startEmulator();
    const thinking = { ...HI, generationConfig: { thinkingConfig: { includeThoughts: true } } };
    const thought = (await (await post(emulator, UNARY, thinking)).json()) as Generated;
    expect(thought.candidates[0]?.content.parts?.map((part) => part.thought)).toEqual([true, undefined]);
    const short = { ...HI, generationConfig: { maxOutputTokens: 1 } };
    const cut = (await (await post(emulator, UNARY, short)).json()) as Generated;
    expect(cut.candidates[0]).toMatchObject({
      finishReason: "MAX_TOKENS",
      content: { parts: [{ text: "Hell" }] },
    });
    const thinker = await post(emulator, UNARY.replace("flash", "pro"), short);
    expect(((await thinker.json()) as Generated).candidates[0]?.content.parts).toBeUndefined();
  });

  it("counts tokens in both forms of the body", async () => {
    await using emulator = await startEmulator();
    const path = UNARY.replace("generateContent", "countTokens");
    const wrapped = { generateContentRequest: { model: "models/gemini-2.5-flash", ...saying("12345678") } };
    for (const body of [saying("12345678"), wrapped]) {
      expect(await (await post(emulator, path, body)).json()).toMatchObject({ totalTokens: 2 });
    }
  });

  it("pages through models with tokens bound to the project", async () => {
    await using emulator = await startEmulator();
    const page = async (token: string, key?: string) => {
      const response = await get(emulator, `/v1/models?pageSize=7&pageToken=${token}`, key);
      const list = (await response.json()) as { models?: { name: string }[]; nextPageToken?: string };
      return {
        status: response.status,
        names: list.models?.map((model) => model.name),
        next: list.nextPageToken,
      };
    };
    const first = await page("");
    const names = [...(first.names ?? [])];
    let next = first.next;
    while (next !== undefined) {
      const further = await page(next);
      names.push(...(further.names ?? []));
      next = further.next;
    }
    expect(first.names).toHaveLength(7);
    expect((await page(String(first.next), "test-key-3")).status).toBe(400);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("models/gemini-2.5-flash");
    expect((await get(emulator, "/v1/models/gemini-2.5-flash")).status).toBe(200);
  });
});

describe("refuses what Google refuses", () => {
  it.each([
    ["malformed JSON", UNARY, "{", 400, "Invalid JSON payload received"],
    ["an unknown field", UNARY, { ...HI, nonsense: 1 }, 400, 'Unknown name "nonsense"'],
    ["no contents", UNARY, {}, 400, "contents is not specified"],
    ["an unknown model", UNARY.replace("2.5", "0.0"), HI, 404, "is not found for API version v1beta"],
    [
      "an unfit model",
      UNARY.replace("2.5-flash", "embedding-001"),
      HI,
      404,
      "not supported for generateContent",
    ],
  ])("%s", async (_what, path, body, status, message) => {
    await using emulator = await startEmulator();
    const response = await post(emulator, path, body);
    expect(response.status).toBe(status);
    expect((await errorOf(response)).message).toContain(message);
  });

  it("a body over the limit, a closed model, a path nobody serves", async () => {
    await using emulator = await startEmulator({
      requestBytesMax: 1000,
      projects: [{ name: "alpha", keys: ["test-key-1"], closedModels: ["gemini-2.5-pro"] }],
    });
    const large = await post(emulator, UNARY, saying("x".repeat(1001)));
    expect(large.status).toBe(400);
    expect((await errorOf(large)).message).toBe("Request payload size exceeds the limit: 1000 bytes.");
    const closed = await post(emulator, UNARY.replace("flash", "pro"));
    expect((await errorOf(closed)).message).toBe("The caller does not have permission");
    const lost = await post(emulator, "/v2/models");
    expect(lost.status).toBe(404);
    expect(lost.headers.get("content-type")).toContain("text/html");
  });
});
