import { describe, expect, it } from "vitest";
import type { Emulator } from "../src/emulator.ts";
import { ask, BETA, made, startProjects, uploaded } from "./projects.ts";
import type { Json } from "./projects.ts";

const PATH = "/v1/interactions";
const HI = { model: "gemini-3-flash-preview", input: "hi" };

async function eventsOf(emulator: Emulator, path: string, body?: Json): Promise<readonly Json[]> {
  const response = await ask(emulator, path, body === undefined ? {} : { body });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const blocks = (await response.text()).split("\n\n").filter((block) => block !== "");
  expect(blocks.pop()).toBe("event: done\ndata: [DONE]");
  return blocks.map((block) => {
    const [, type, data] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? [];
    const event = JSON.parse(data ?? "") as Json;
    expect(event["event_type"]).toBe(type);
    return event;
  });
}

describe("speaks the Interactions API", () => {
  it("whole, and goes on from the one before for its project alone", async () => {
    await using emulator = await startProjects();
    const first = await made(emulator, PATH, { body: HI });
    expect(first).toMatchObject({
      id: expect.stringMatching(/^v1_/) as string,
      object: "interaction",
      status: "completed",
    });
    expect(JSON.stringify(first["steps"])).toContain("Hello from project alpha");
    expect(first["usage"]).toMatchObject({ total_input_tokens: 1 });
    const next = { ...HI, previous_interaction_id: first["id"] };
    expect(await made(emulator, PATH, { body: next })).toMatchObject({
      previous_interaction_id: first["id"],
    });
    for (const [path, body] of [
      [PATH, next],
      [`${PATH}/${String(first["id"])}`, undefined],
    ] as const) {
      const foreign = await ask(emulator, path, { key: BETA, ...(body !== undefined && { body }) });
      expect(foreign.status).toBe(404);
      expect(await foreign.json()).toEqual({
        error: { code: "not_found", message: "Requested entity was not found." },
      });
    }
    expect(emulator.calls.foreignHits).toBe(2);
    expect(await made(emulator, `${PATH}/${String(first["id"])}?include_input=true`)).toMatchObject({
      input: "hi",
    });
    await made(emulator, `${PATH}/${String(first["id"])}`, { method: "DELETE" });
    expect((await ask(emulator, PATH, { body: next })).status).toBe(404);
  });

  it("as a stream of named events with ids, after any of which it is resumed", async () => {
    await using emulator = await startProjects();
    const events = await eventsOf(emulator, PATH, { ...HI, stream: true });
    expect(events.map((event) => event["event_type"])).toEqual([
      "interaction.created",
      "interaction.status_update",
      "step.start",
      ...Array.from({ length: 4 }, () => "step.delta"),
      "step.stop",
      "interaction.completed",
    ]);
    expect(new Set(events.map((event) => event["event_id"])).size).toBe(events.length);
    const text = events.map(({ delta }) => (delta as { text?: string } | undefined)?.text ?? "").join("");
    expect(text).toBe('Hello from project alpha: you said "hi"');
    const id = String((events[0]!["interaction"] as Json)["id"]);
    const resumed = await eventsOf(
      emulator,
      `${PATH}/${id}?stream=true&last_event_id=${String(events[4]?.["event_id"])}`,
    );
    expect(resumed).toEqual(events.slice(5));
    const lost = await ask(emulator, `${PATH}/${id}?stream=true&last_event_id=nonsense`);
    expect([lost.status, await lost.json()]).toMatchObject([416, { error: { code: "out_of_range" } }]);
  });

  it("in the background, done by polls or cancelled", async () => {
    await using emulator = await startProjects();
    const begin = async (): Promise<string> => {
      const begun = await made(emulator, PATH, { body: { ...HI, background: true } });
      expect(begun).toMatchObject({ status: "in_progress" });
      expect(begun).not.toHaveProperty("steps");
      return `${PATH}/${String(begun["id"])}`;
    };
    const job = await begin();
    expect([(await made(emulator, job))["status"], (await made(emulator, job))["status"]]).toEqual([
      "in_progress",
      "completed",
    ]);
    expect((await ask(emulator, `${job}/cancel`, { method: "POST" })).status).toBe(400);
    const cancelled = await begin();
    expect((await made(emulator, `${cancelled}/cancel`, { method: "POST" }))["status"]).toBe("cancelled");
    expect((await made(emulator, cancelled))["status"]).toBe("cancelled");
  });

  it("calls functions with a signed thought, and takes their results", async () => {
    await using emulator = await startProjects();
    const tools = [{ type: "function", name: "look", parameters: { type: "object", properties: {} } }];
    const asked = await made(emulator, PATH, { body: { ...HI, input: "call look", tools } });
    expect(asked).toMatchObject({
      status: "requires_action",
      steps: [{ type: "thought" }, { type: "function_call", name: "look" }],
    });
    const input = [{ type: "function_result", call_id: "call_look", result: { found: 1 } }];
    const body = { ...HI, input, tools, previous_interaction_id: asked["id"] };
    expect(JSON.stringify(await made(emulator, PATH, { body }))).toContain("got the tool's answer");
  });

  it("continues by token, and refuses files of another project", async () => {
    await using emulator = await startProjects();
    const first = await made(emulator, PATH, { body: { ...HI, input: "continue 1 times" } });
    expect(first["status"]).toBe("requires_continuation");
    const go = {
      model: HI.model,
      continuation_token: first["continuation_token"],
      previous_interaction_id: first["id"],
    };
    expect((await made(emulator, PATH, { body: go }))["status"]).toBe("completed");
    const { uri } = await uploaded(emulator, "a");
    const withFile = {
      ...HI,
      input: [
        { type: "document", uri },
        { type: "text", text: "hi" },
      ],
    };
    expect((await ask(emulator, PATH, { body: withFile })).status).toBe(200);
    const foreign = await ask(emulator, PATH, { key: BETA, body: withFile });
    expect([foreign.status, await foreign.json()]).toMatchObject([
      403,
      { error: { code: "permission_denied" } },
    ]);
  });
});

describe("words its errors in its own dialect", () => {
  it.each([
    ["overloaded", 503, "service_unavailable", /^1$/],
    ["quota-day", 429, "quota_exceeded", /^\d+$/],
    ["quota-minute", 429, "rate_limit_exceeded", /^\d+$/],
    ["internal", 500, "api_error", /^none$/],
  ] as const)("%s: %i %s, with retry-after where it helps", async (error, status, code, retryAfter) => {
    await using emulator = await startProjects({ script: [{ fault: { kind: "error", error } }] });
    const response = await ask(emulator, PATH, { body: HI });
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    expect(response.headers.get("retry-after") ?? "none").toMatch(retryAfter);
  });

  it("but the front end's in the native one, and late ones as events", async () => {
    await using emulator = await startProjects();
    const invalid = await ask(emulator, PATH, { key: "nonsense", body: HI });
    expect(await invalid.json()).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
    const lost = await ask(emulator, PATH, { body: { ...HI, model: "nonsense" } });
    expect(await lost.json()).toMatchObject({ error: { code: "model_not_found" } });
    emulator.fault({ fault: { kind: "late-error-event", afterEvents: 2 } });
    const text = await (await ask(emulator, PATH, { body: { ...HI, stream: true } })).text();
    expect(text).toMatch(
      /\n\nevent: error\ndata: \{"event_type":"error","error":\{"code":"service_unavailable",.*\}\}\n\n$/,
    );
  });
});

describe("keeps agents, environments and the rest of 3.x", () => {
  it.each(["agents", "environments", "credentials", "triggers", "voices", "webhooks"])(
    "%s",
    async (collection) => {
      await using emulator = await startProjects();
      const { id } = await made(emulator, `/v1/${collection}`, { body: { display_name: "one" } });
      const path = `/v1/${collection}/${String(id)}`;
      expect(await made(emulator, path)).toMatchObject({ id, display_name: "one" });
      expect(((await made(emulator, `/v1/${collection}`))[collection] as Json[])[0]?.["id"]).toBe(id);
      const patch = await ask(emulator, path, { method: "PATCH", body: { display_name: "two" } });
      expect(patch.status).toBe(collection === "voices" ? 404 : 200);
      expect((await ask(emulator, path, { key: BETA })).status).toBe(404);
      await made(emulator, path, { method: "DELETE" });
      expect((await ask(emulator, path)).status).toBe(404);
      expect(await made(emulator, `/v1/${collection}`)).toEqual({});
    },
  );

  it("files of an environment, which an interaction makes and names", async () => {
    await using emulator = await startProjects();
    const first = await made(emulator, PATH, { body: { ...HI, environment: "remote" } });
    const environment = String(first["environment_id"]);
    const start = await ask(emulator, `/upload/v1/environments/${environment}/files/a/b.txt`, {
      method: "PUT",
      headers: { "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" },
    });
    const url = start.headers.get("x-goog-upload-url") ?? "";
    const headers = { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
    expect((await fetch(url, { method: "POST", headers, body: "in it" })).status).toBe(200);
    const file = `/v1/environments/${environment}/files/a/b.txt?alt=media`;
    expect(await (await ask(emulator, file)).text()).toBe("in it");
    expect((await ask(emulator, file, { key: BETA })).status).toBe(404);
    const snapshot = `/v1beta/files/environment-${environment}:download?alt=media`;
    expect(await (await ask(emulator, snapshot)).text()).toBe("a/b.txt\n");
    const again = { ...HI, environment };
    expect((await made(emulator, PATH, { body: again }))["environment_id"]).toBe(environment);
    expect((await ask(emulator, PATH, { key: BETA, body: again })).status).toBe(404);
  });
});
