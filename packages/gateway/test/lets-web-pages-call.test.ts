import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { exchangeRaw, type RawAnswer } from "./harness/raw-client.ts";
import { MODEL, promptBody } from "./harness/requests.ts";

const PAGE = "https://app.example";
const AUTH_KEY = "page-secret";
const PATH = `/v1beta/models/${MODEL}:generateContent`;

let pool: Pool;
function use(flags: Record<string, string | string[]>): void {
  beforeAll(async () => {
    pool = await startPool({ flags: { workers: 1, "auth-key": `page=${AUTH_KEY}`, ...flags } });
  });
  afterAll(() => pool[Symbol.asyncDispose]());
}

/** Asks whether a page may send the request, as a browser does. */
function preflight(origin: string, extra: readonly string[] = []): Promise<RawAnswer> {
  const lines = [
    `OPTIONS ${PATH} HTTP/1.1`,
    "Host: g",
    `Origin: ${origin}`,
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: content-type,x-goog-api-client,x-goog-api-key",
    ...extra,
  ];
  return exchangeRaw(pool.gateway.port, `${lines.join("\r\n")}\r\n\r\n`);
}

/** Calls as a page of that origin would, with an auth key unless the credential is another. */
function call(
  origin: string | undefined,
  line = `POST ${PATH}`,
  body = promptBody(),
  credential = AUTH_KEY,
): Promise<RawAnswer> {
  const from = `x-goog-api-key: ${credential}\r\n${origin === undefined ? "" : `Origin: ${origin}\r\n`}`;
  const head = `${line} HTTP/1.1\r\nHost: g\r\n${from}Content-Length: ${body.length}\r\n\r\n`;
  return exchangeRaw(pool.gateway.port, head + body);
}

describe("by default, any page", () => {
  use({ "limits-body": "1KB" });

  it("may send what Google's client sends from a browser, without a credential or a key spent on the question", async () => {
    const answer = await preflight(PAGE);
    expect(answer.status).toBe(204);
    expect(answer.header("access-control-allow-origin")).toBe("*");
    expect(answer.header("access-control-allow-methods")).toContain("POST");
    expect(answer.header("access-control-allow-headers")).toBe(
      "content-type,x-goog-api-client,x-goog-api-key",
    );
    expect(Number(answer.header("access-control-max-age"))).toBeGreaterThan(0);
    expect(answer.header("x-request-id")).toMatch(/./);
    expect(pool.emulator.calls.total).toBe(0);
  });

  it("is let through to a private address only when its browser asks for that", async () => {
    expect((await preflight(PAGE)).header("access-control-allow-private-network")).toBeUndefined();
    const asked = await preflight(PAGE, ["Access-Control-Request-Private-Network: true"]);
    expect(asked.header("access-control-allow-private-network")).toBe("true");
  });

  it("reads the answer, and the headers made for it", async () => {
    const answer = await call(PAGE);
    expect(answer.status).toBe(200);
    expect(answer.header("access-control-allow-origin")).toBe("*");
    const exposed = answer.header("access-control-expose-headers")?.split(", ");
    expect(exposed).toEqual(
      expect.arrayContaining(["retry-after", "x-request-id", "x-gateway-attempts", "x-goog-upload-url"]),
    );
  });

  it.each([
    ["its own mistake", `POST ${PATH}`, "{}", 400],
    ["an unknown path", "GET /nowhere", "", 404],
    ["a body too large", `POST ${PATH}`, promptBody("x".repeat(3000)), 413],
    ["an unknown method", `PROPFIND ${PATH}`, "", 405],
  ])("reads errors too: %s", async (_what, line, body, status) => {
    const answer = await call(PAGE, line, body);
    expect(answer.status).toBe(status);
    expect(answer.header("access-control-allow-origin")).toBe("*");
  });

  it("costs others nothing: no header without an origin", async () => {
    const answer = await call(undefined);
    expect(answer.headers.some(([name]) => name.toLowerCase().startsWith("access-control-"))).toBe(false);
  });
});

describe("with origins configured", () => {
  use({ "cors-origins": [PAGE, "http://localhost:5173"] });

  it.each([PAGE, "http://localhost:5173"])("%s may call", async (origin) => {
    for (const answer of [await preflight(origin), await call(origin)]) {
      expect(answer.header("access-control-allow-origin")).toBe(origin);
      expect(answer.header("vary")).toContain("Origin");
    }
  });

  it.each([
    "https://other.example",
    `${PAGE}.other.example`,
    "https://APP.example",
    "http://app.example",
    "null",
  ])("%s may not", async (origin) => {
    expect((await preflight(origin)).header("access-control-allow-origin")).toBeUndefined();
    expect((await call(origin)).header("access-control-allow-origin")).toBeUndefined();
  });
});

describe("with none", () => {
  use({ "cors-origins": "none" });

  it("no page may call", async () => {
    const answer = await preflight(PAGE);
    expect(answer.status).toBe(204);
    expect(answer.header("access-control-allow-origin")).toBeUndefined();
    expect((await call(PAGE)).header("access-control-allow-origin")).toBeUndefined();
  });
});

describe("without an auth key", () => {
  use({ "cors-anonymous-origins": ["local", "https://trusted.example"] });

  it.each(["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]", "https://trusted.example"])(
    "a page of %s may call",
    async (origin) => {
      expect((await call(origin, undefined, undefined, "none")).status).toBe(200);
    },
  );

  it.each([
    PAGE,
    "null",
    "http://localhost.evil.example",
    "http://evil.example:55200",
    "file://",
    "chrome-extension://x",
  ])("a page of %s spends no quota: 403, whether or not it may read that", async (origin) => {
    const before = pool.emulator.calls.total;
    const answer = await call(origin, undefined, undefined, "none");
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toContain("need one of this gateway's auth keys");
    expect(pool.emulator.calls.total).toBe(before);
  });

  it("a program that is no page may call", async () => {
    expect((await call(undefined, undefined, undefined, "none")).status).toBe(200);
  });
});
