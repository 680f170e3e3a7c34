import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHAT_MODEL, startGuardedPool, TEAM_SECRET } from "../harness/client-pools.ts";
import type { Pool } from "../harness/pool.ts";
import { promptBody } from "../harness/requests.ts";

const NATIVE = `/v1beta/models/${CHAT_MODEL}:generateContent`;
const COMPATIBLE = "/v1beta/openai/chat/completions";
const CHAT_BODY = JSON.stringify({ model: CHAT_MODEL, messages: [{ role: "user", content: "Hello" }] });

let pool: Pool;
beforeAll(async () => {
  pool = await startGuardedPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

function post(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const body = path.startsWith(COMPATIBLE) ? CHAT_BODY : promptBody();
  return fetch(pool.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

const BEARER = { authorization: `Bearer ${TEAM_SECRET}` };
const API_KEY = { "x-goog-api-key": TEAM_SECRET };

describe("an auth key is taken in every form that Google's clients know, and replaced by one header", () => {
  it.each([
    { form: "x-goog-api-key", path: NATIVE, headers: API_KEY },
    { form: "x-goog-api-key on a compatible route", path: COMPATIBLE, headers: API_KEY },
    { form: "a bearer token", path: COMPATIBLE, headers: BEARER },
    { form: "a bearer token on a native route, where Google refuses it", path: NATIVE, headers: BEARER },
    { form: "?key=", path: `${NATIVE}?key=${TEAM_SECRET}`, headers: {} },
    { form: "?key= on a compatible route", path: `${COMPATIBLE}?key=${TEAM_SECRET}`, headers: {} },
    { form: "two headers at once, as gemini-cli can", path: NATIVE, headers: { ...API_KEY, ...BEARER } },
    {
      form: "?key= beside another client's leftovers",
      path: `${NATIVE}?key=${TEAM_SECRET}`,
      headers: { cookie: "a=b" },
    },
  ])("$form", async ({ path, headers }) => {
    const response = await post(path, headers);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("Hello from project");
    const call = pool.emulator.calls.recent().at(-1);
    expect(call?.key).toMatch(/^test-key-\d$/);
    expect(`${call?.path} ${call?.headers.join(" ")}`).not.toContain(TEAM_SECRET);
    const names = call?.headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    expect(names?.filter((name) => ["x-goog-api-key", "authorization", "cookie"].includes(name))).toEqual([
      "x-goog-api-key",
    ]);
  });
});

describe("without one, nothing goes upstream", () => {
  it.each([
    { form: "no credential", path: NATIVE, headers: {} },
    { form: "a wrong key", path: NATIVE, headers: { "x-goog-api-key": `${TEAM_SECRET}2` } },
    { form: "the beginning of one", path: NATIVE, headers: { "x-goog-api-key": TEAM_SECRET.slice(0, -1) } },
    { form: "the name in the secret's place", path: NATIVE, headers: { "x-goog-api-key": "team" } },
    {
      form: "the right one under another scheme",
      path: NATIVE,
      headers: { authorization: `Basic ${TEAM_SECRET}` },
    },
  ])("$form", async ({ path, headers }) => {
    const { total } = pool.emulator.calls;
    const response = await post(path, headers);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { code: 401, status: "UNAUTHENTICATED" } });
    expect(pool.emulator.calls.total).toBe(total);
  });

  it("is told in a list on a compatible route, as Google does", async () => {
    const response = await post(COMPATIBLE);
    expect(await response.json()).toMatchObject([{ error: { code: 401 } }]);
  });
});
