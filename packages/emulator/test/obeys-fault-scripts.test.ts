import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import type { Fault } from "../src/fault-rules.ts";
import { ERROR_NAMES } from "../src/named-errors.ts";
import type { ErrorName } from "../src/named-errors.ts";
import { errorOf, eventsOf, post, rawPost, saying, SSE, UNARY } from "./client.ts";

const FIVE = saying("stream 5 events");

async function streamUnder(fault: Fault): Promise<string> {
  await using emulator = await startEmulator({ script: [{ fault }] });
  return await (await post(emulator, SSE, FIVE)).text();
}

async function unaryUnder(fault: Fault): Promise<unknown> {
  await using emulator = await startEmulator({ script: [{ fault }] });
  return await (await post(emulator, UNARY)).json();
}

describe("answers oddly on demand", () => {
  it("empty-stream: 200 and not one byte", async () => {
    expect(await streamUnder({ kind: "empty-stream" })).toBe("");
  });

  it("no-finish-reason: all the text, no end to it", async () => {
    const text = await streamUnder({ kind: "no-finish-reason" });
    expect(eventsOf(text)).toHaveLength(5);
    expect(text).not.toContain("finishReason");
  });

  it("stop-without-parts", async () => {
    expect(await unaryUnder({ kind: "stop-without-parts" })).toMatchObject({
      candidates: [{ content: { role: "model" }, finishReason: "STOP", index: 0 }],
    });
  });

  it("thought-only", async () => {
    expect(await unaryUnder({ kind: "thought-only" })).toMatchObject({
      candidates: [{ content: { parts: [{ thought: true }] } }],
      usageMetadata: { thoughtsTokenCount: 7 },
    });
  });

  it("max-tokens-without-parts", async () => {
    const answer = JSON.stringify(await unaryUnder({ kind: "max-tokens-without-parts" }));
    expect(answer).toContain("MAX_TOKENS");
    expect(answer).not.toContain("parts");
  });

  it("blocked-prompt and candidates-missing", async () => {
    const blocked = await unaryUnder({ kind: "blocked-prompt" });
    expect(blocked).toMatchObject({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" } });
    expect(blocked).not.toHaveProperty("candidates");
    const missing = await unaryUnder({ kind: "candidates-missing" });
    expect(missing).not.toHaveProperty("candidates");
    expect(missing).not.toHaveProperty("promptFeedback");
  });

  it("late-error-event: some events, then the error as one, then a proper end", async () => {
    const events = eventsOf(await streamUnder({ kind: "late-error-event", afterEvents: 2 }));
    expect(events).toHaveLength(3);
    expect(events[2]).toMatchObject({ error: { code: 503, status: "UNAVAILABLE" } });
  });

  it("raw-json-tail: an indented error outside the framing", async () => {
    const text = await streamUnder({ kind: "raw-json-tail", afterEvents: 2 });
    expect(text).toMatch(/\r\n\r\n\{\n {2}"error": \{\n {4}"code": 503,/);
  });

  it("cut: a proper end too early", async () => {
    expect(eventsOf(await streamUnder({ kind: "cut", afterEvents: 3 }))).toHaveLength(3);
  });

  it("invalid-json: half an object in whole framing", async () => {
    const [first] = (await streamUnder({ kind: "invalid-json" })).split("\r\n\r\n");
    expect(() => JSON.parse(String(first).slice("data: ".length)) as unknown).toThrow(SyntaxError);
  });

  it("html and custom answers", async () => {
    await using emulator = await startEmulator({ script: [{ times: 1, fault: { kind: "html" } }] });
    const page = await post(emulator, UNARY);
    expect([page.status, page.headers.get("content-type")]).toEqual([503, "text/html; charset=UTF-8"]);
    emulator.fault({ fault: { kind: "custom", status: 418, body: { a: 1 }, headers: { "x-odd": "yes" } } });
    const custom = await post(emulator, UNARY);
    expect([custom.status, custom.headers.get("x-odd")]).toEqual([418, "yes"]);
    expect(await custom.json()).toEqual({ a: 1 });
  });

  it("gzip: a stream that fetch can still read", async () => {
    expect(eventsOf(await streamUnder({ kind: "gzip" }))).toHaveLength(5);
  });

  it.each(ERROR_NAMES)("error %s: a body whose code is its status", async (error) => {
    await using emulator = await startEmulator({
      script: [{ fault: { kind: "error", error: error as ErrorName } }],
    });
    const response = await post(emulator, UNARY);
    expect((await errorOf(response)).code).toBe(response.status);
  });

  it("error with another message and delay", async () => {
    const fault = { kind: "error", error: "quota-day", message: "m", retryDelaySeconds: 7 } as const;
    await using emulator = await startEmulator({ script: [{ fault }] });
    const error = await errorOf(await post(emulator, UNARY));
    expect(error.message).toBe("m");
    expect(error.details?.at(-1)).toMatchObject({ retryDelay: "7s" });
  });
});

describe("breaks connections on demand", () => {
  it("reset before the headers", async () => {
    await using emulator = await startEmulator({ script: [{ fault: { kind: "reset" } }] });
    expect(await rawPost(emulator, SSE).closed).toMatchObject({ text: "", reset: true });
    await expect(post(emulator, SSE)).rejects.toThrow("fetch failed");
  });

  it("reset after events, and in the middle of one", async () => {
    await using emulator = await startEmulator({
      script: [{ times: 1, fault: { kind: "reset", afterEvents: 2 } }],
    });
    const between = await rawPost(emulator, SSE, FIVE).closed;
    expect(between.text.match(/data: /g)).toHaveLength(2);
    expect(between.text.trimEnd().endsWith("}")).toBe(true);
    expect(between.reset).toBe(true);
    emulator.fault({ fault: { kind: "reset", afterEvents: 2, midEvent: true } });
    const inside = await rawPost(emulator, SSE, FIVE).closed;
    expect(inside.text.match(/data: /g)).toHaveLength(3);
    expect(inside.text.trimEnd().endsWith("}")).toBe(false);
    const call = await emulator.waitForCall(({ id, phase }) => id === 2 && phase === "done");
    expect(call).toMatchObject({ aborted: true, events: 3, faults: ["reset"] });
  });

  it("truncated-length: fewer bytes than declared, then an orderly close", async () => {
    await using emulator = await startEmulator({ script: [{ fault: { kind: "truncated-length" } }] });
    const { text, reset } = await rawPost(emulator, UNARY).closed;
    const [head = "", body = ""] = text.split("\r\n\r\n");
    const declared = Number(/content-length: (\d+)/.exec(head)?.[1]);
    expect(declared).toBeGreaterThan(Buffer.byteLength(body));
    expect(body).toContain("Hello");
    expect(reset).toBe(false);
    await expect(post(emulator, UNARY).then((response) => response.text())).rejects.toThrow("terminated");
  });

  it("bytewise: many reads, the same text", async () => {
    await using emulator = await startEmulator({ script: [{ fault: { kind: "bytewise", bytes: 3 } }] });
    const prompt = saying("stream 2 events: ünïcødé €");
    const { text, reads } = await rawPost(emulator, SSE, prompt).closed;
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(reads).toBeGreaterThan(50);
    const events = eventsOf(await (await post(emulator, SSE, prompt)).text());
    expect(JSON.stringify(events)).toContain("ünïcødé €");
  });
});

describe("holds back until released", () => {
  it("stall before the headers, released by undoing the rule", async () => {
    await using emulator = await startEmulator();
    const undo = emulator.fault({ fault: { kind: "stall" } });
    const answer = post(emulator, UNARY);
    const held = await emulator.waitForCall((call) => call.phase === "held");
    expect(held.status).toBe(0);
    undo();
    expect((await answer).status).toBe(200);
    expect((await post(emulator, UNARY)).status).toBe(200);
  });

  it("stall after events, released without undoing the rule", async () => {
    await using emulator = await startEmulator();
    emulator.fault({ fault: { kind: "stall", afterEvents: 2 } });
    const response = await post(emulator, SSE, FIVE);
    const held = await emulator.waitForCall((call) => call.phase === "held");
    expect(held).toMatchObject({ status: 200, events: 2 });
    emulator.release();
    expect(eventsOf(await response.text())).toHaveLength(5);
  });

  it("stall until the client leaves", async () => {
    await using emulator = await startEmulator();
    emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
    const { socket } = rawPost(emulator, SSE, FIVE);
    await emulator.waitForCall((call) => call.phase === "held");
    expect(emulator.openStreams).toBe(1);
    socket.destroy();
    expect(await emulator.waitForCall((call) => call.phase === "done")).toMatchObject({
      aborted: true,
      events: 1,
    });
    expect(emulator.openStreams).toBe(0);
  });

  it("slow-first-byte by time and by release", async () => {
    await using emulator = await startEmulator();
    const undo = emulator.fault({ fault: { kind: "slow-first-byte", delayMs: 30 } });
    const startedMs = performance.now();
    expect((await post(emulator, SSE)).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(25);
    undo();
    emulator.fault({ fault: { kind: "slow-first-byte", untilReleased: true } });
    const answer = post(emulator, SSE);
    await emulator.waitForCall((call) => call.phase === "held");
    emulator.clearFaults();
    expect((await answer).status).toBe(200);
  });
});
