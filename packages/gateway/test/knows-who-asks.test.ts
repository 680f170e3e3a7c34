import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { exchangeRaw } from "./harness/raw-client.ts";
import { ask, MODEL, promptBody } from "./harness/requests.ts";

const ALICE = "test-auth-key-of-alice";
const BOB = "test-auth-key-of-bob";
const GUARDED = { workers: 1, "auth-key": [`alice=${ALICE}`, `bob=${BOB}`], anonymous: "denied" };
const PATH = `/v1beta/models/${MODEL}:generateContent`;

/** Status of a request with these header lines and this query. */
async function statusOf(pool: Pool, lines: readonly string[], query = "", path = PATH): Promise<number> {
  const body = promptBody();
  const head = [`POST ${path}${query} HTTP/1.1`, "Host: g", ...lines, `Content-Length: ${body.length}`];
  return (await exchangeRaw(pool.gateway.port, `${head.join("\r\n")}\r\n\r\n${body}`)).status;
}

describe("with auth keys, and others denied", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await startPool({ flags: GUARDED });
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  it.each([
    ["x-goog-api-key", [`x-goog-api-key: ${ALICE}`], "", "alice"],
    ["another name", [`X-Goog-Api-Key: ${BOB}`], "", "bob"],
    ["Bearer", [`Authorization: Bearer ${BOB}`], "", "bob"],
    ["bearer in lower case", [`authorization: bearer ${ALICE}`], "", "alice"],
    ["?key=", [], `?key=${ALICE}`, "alice"],
    ["?alt=sse&key=", [], `?alt=sse&key=${BOB}`, "bob"],
    ["an encoded ?key=", [], `?key=${ALICE.replace("t", "%74")}`, "alice"],
    ["the same in two places", [`x-goog-api-key: ${ALICE}`, `Authorization: Bearer ${ALICE}`], "", "alice"],
    [
      "a wrong one beside a right one",
      ["x-goog-api-key: placeholder", `Authorization: Bearer ${BOB}`],
      "",
      "bob",
    ],
  ])("%s is enough, and the log names the client", async (_what, lines, query, client) => {
    const { length } = pool.logLines;
    expect(await statusOf(pool, lines, query)).toBe(200);
    const row = await pool.requestLogged(({ requestId }) =>
      pool.logLines.slice(length).join("").includes(requestId),
    );
    expect(row.client).toBe(client);
  });

  it.each([
    ["none", [], ""],
    ["a wrong one", ["x-goog-api-key: wrong"], ""],
    ["an empty one", ["x-goog-api-key: "], ""],
    ["a part of one", [`x-goog-api-key: ${ALICE.slice(0, -1)}`], ""],
    ["more than one", [`x-goog-api-key: ${ALICE}x`], ""],
    ["another case", [`x-goog-api-key: ${ALICE.toUpperCase()}`], ""],
    ["the name with it", [`x-goog-api-key: alice=${ALICE}`], ""],
    ["in a header of no meaning", [`x-api-key-of-mine: ${ALICE}`], ""],
  ])("%s is refused with 401 and costs no key", async (_what, lines, query) => {
    const before = pool.emulator.calls.total;
    expect(await statusOf(pool, lines, query)).toBe(401);
    expect(pool.emulator.calls.total).toBe(before);
  });

  it.each([
    ["native", PATH, "", { error: { code: 401, status: "UNAUTHENTICATED" } }],
    ["array", `/v1beta/models/${MODEL}:streamGenerateContent`, "", [{ error: { code: 401 } }]],
    ["SSE", `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`, "", { error: { code: 401 } }],
    ["OpenAI", "/v1beta/openai/chat/completions", "", [{ error: { code: 401 } }]],
    [
      "interactions",
      "/v1beta/interactions",
      "",
      { error: { code: "authentication", message: expect.any(String) } },
    ],
  ])("speaks the client's dialect: %s", async (_what, path, _query, shape) => {
    const response = await ask(pool.url, { path, headers: { "x-goog-api-key": "wrong" } });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(await response.json()).toMatchObject(shape);
  });

  it("logs who was turned away, by the path alone", async () => {
    expect(await statusOf(pool, [], "?key=not-an-auth-key")).toBe(401);
    const row = await pool.requestLogged(({ status }) => status === 401);
    expect(row).toMatchObject({ outcome: "refused", client: "anonymous", attempts: 0 });
    expect(pool.logLines.join("")).not.toContain("not-an-auth-key");
  });

  it("asks no credential of probes", async () => {
    expect((await fetch(`${pool.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${pool.url}/readyz`)).status).toBe(200);
  });

  it("tells the attempts to a known client who asks, and only then", async () => {
    const asked = await ask(pool.url, { headers: { "x-goog-api-key": ALICE, "x-gateway-debug": "1" } });
    expect(asked.headers.get("x-gateway-attempts")).toMatch(/^k-[a-z0-9]{12}=served$/);
    const unasked = await ask(pool.url, { headers: { "x-goog-api-key": ALICE } });
    expect(unasked.headers.has("x-gateway-attempts")).toBe(false);
  });
});

describe("without saying so, anonymous callers", () => {
  it("are served on loopback, also with a credential nobody knows, and told no attempts", async () => {
    await using pool = await startPool({ flags: { workers: 1, "auth-key": [`alice=${ALICE}`] } });
    const response = await ask(pool.url, {
      headers: { "x-goog-api-key": "whatever", "x-gateway-debug": "1" },
    });
    expect(response.status).toBe(200);
    expect(response.headers.has("x-gateway-attempts")).toBe(false);
    expect(await pool.requestLogged()).toMatchObject({ client: "anonymous" });
    expect((await ask(pool.url, { headers: { "x-goog-api-key": ALICE } })).status).toBe(200);
    expect(await pool.requestLogged(({ client }) => client === "alice")).toMatchObject({ status: 200 });
  });

  it("are refused when other machines can reach the gateway", async () => {
    await using pool = await startPool({
      flags: { workers: 1, host: "0.0.0.0", "auth-key": [`alice=${ALICE}`] },
    });
    expect((await ask(pool.url)).status).toBe(401);
    expect((await ask(pool.url, { headers: { "x-goog-api-key": ALICE } })).status).toBe(200);
  });

  it("are served there when the operator wants it", async () => {
    await using pool = await startPool({ flags: { workers: 1, host: "0.0.0.0", anonymous: "limited" } });
    expect((await ask(pool.url)).status).toBe(200);
  });
});
