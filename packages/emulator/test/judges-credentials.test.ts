import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import type { KeyState } from "../src/project-spec.ts";
import { errorOf, get, HI, post, UNARY } from "./client.ts";

const CHAT = "/v1beta/openai/chat/completions";
const CHAT_HI = { model: "gemini-2.5-flash", messages: [{ role: "user", content: "hi" }] };

describe("judges credentials as Google does", () => {
  it.each([
    ["a header", UNARY, { "x-goog-api-key": "test-key-1" }],
    ["the query", `${UNARY}?key=test-key-1`, {}],
  ])("serves one key in %s", async (_where, path, headers) => {
    await using emulator = await startEmulator();
    const response = await post(emulator, path, HI, headers);
    expect(response.status).toBe(200);
    expect(emulator.calls.byKey("test-key-1")).toBe(1);
  });

  it("serves Bearer on OpenAI routes alone", async () => {
    await using emulator = await startEmulator();
    const bearer = { authorization: "Bearer test-key-1" };
    expect((await post(emulator, CHAT, CHAT_HI, bearer)).status).toBe(200);
    const native = await post(emulator, UNARY, HI, bearer);
    expect(native.status).toBe(401);
    expect(native.headers.get("www-authenticate")).toMatch(/^Bearer realm=/);
    expect((await errorOf(native)).status).toBe("UNAUTHENTICATED");
  });

  it.each([
    ["header and query", `${UNARY}?key=test-key-1`, { "x-goog-api-key": "test-key-1" }],
    ["header and Bearer", UNARY, { "x-goog-api-key": "test-key-1", authorization: "Bearer test-key-1" }],
  ])("refuses two credentials: %s", async (_where, path, headers) => {
    await using emulator = await startEmulator();
    const response = await post(emulator, path, HI, headers);
    expect(response.status).toBe(400);
    const { message } = await errorOf(response);
    expect(message).toBe("Multiple authentication credentials received. Please pass only one.");
  });

  it("refuses none with 403, an unknown key with 400, an unknown authorization key with 401", async () => {
    await using emulator = await startEmulator();
    expect((await post(emulator, UNARY, HI, {})).status).toBe(403);
    const unknown = await post(emulator, UNARY, HI, { "x-goog-api-key": "AIzaFake" });
    expect(unknown.status).toBe(400);
    expect((await errorOf(unknown)).details?.[0]?.["reason"]).toBe("API_KEY_INVALID");
    const token = await post(emulator, UNARY, HI, { "x-goog-api-key": "AQ.fake" });
    expect(token.status).toBe(401);
  });

  it("writes native errors as indented objects and OpenAI ones as a list", async () => {
    await using emulator = await startEmulator();
    const native = await (await post(emulator, UNARY, HI, {})).text();
    expect(native.startsWith('{\n  "error": {\n    "code": 403,\n')).toBe(true);
    expect(native.endsWith("  }\n}\n")).toBe(true);
    const compatible = await (await post(emulator, CHAT, CHAT_HI, { "x-goog-api-key": "AIzaFake" })).text();
    expect(compatible.startsWith('[{\n  "error": {\n    "code": 400,\n')).toBe(true);
    expect(compatible.endsWith("  }\n}\n]\n")).toBe(true);
  });
});

describe("answers with the state of key and project", () => {
  it.each<[KeyState, number, string]>([
    ["suspended", 403, "PERMISSION_DENIED"],
    ["denied", 403, "PERMISSION_DENIED"],
    ["leaked", 403, "PERMISSION_DENIED"],
    ["service-disabled", 403, "PERMISSION_DENIED"],
    ["service-blocked", 403, "PERMISSION_DENIED"],
    ["referrer-blocked", 403, "PERMISSION_DENIED"],
    ["ip-blocked", 403, "PERMISSION_DENIED"],
    ["credits-depleted", 402, "RESOURCE_EXHAUSTED"],
    ["spending-cap", 429, "RESOURCE_EXHAUSTED"],
    ["location", 400, "FAILED_PRECONDITION"],
    ["invalid", 400, "INVALID_ARGUMENT"],
    ["expired", 400, "INVALID_ARGUMENT"],
  ])("%s: %i %s, and its neighbour goes on", async (state, status, code) => {
    await using emulator = await startEmulator();
    emulator.setKeyState("test-key-1", state);
    const response = await post(emulator, UNARY);
    expect(response.status).toBe(status);
    expect((await errorOf(response)).status).toBe(code);
    expect((await post(emulator, UNARY, HI, { "x-goog-api-key": "test-key-2" })).status).toBe(200);
    emulator.setKeyState("test-key-1", "ok");
    expect((await post(emulator, UNARY)).status).toBe(200);
  });

  it("echoes a suspended key, and still lists models for a leaked one", async () => {
    await using emulator = await startEmulator();
    emulator.setProjectState("alpha", "suspended");
    expect(await (await post(emulator, UNARY)).text()).toContain("api_key:test-key-1");
    emulator.setProjectState("alpha", "leaked");
    expect((await get(emulator, "/v1beta/models")).status).toBe(200);
  });

  it("names the project's number when the service is off", async () => {
    await using emulator = await startEmulator({
      projects: [{ name: "off", number: "411082643095", keys: ["test-key-1"], state: "service-disabled" }],
    });
    const { details } = await errorOf(await post(emulator, UNARY));
    expect(details?.[0]).toMatchObject({
      reason: "SERVICE_DISABLED",
      metadata: { consumer: "projects/411082643095" },
    });
  });
});
