import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { exchangeRaw, RawClient } from "./harness/raw-client.ts";
import { MODEL, promptBody } from "./harness/requests.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await startPool({ flags: { workers: 1 } });
});
afterAll(() => pool[Symbol.asyncDispose]());

const PATH = `/v1beta/models/${MODEL}:generateContent`;
const POST = `POST ${PATH} HTTP/1.1\r\nHost: g\r\n`;
const BODY = promptBody();
const LENGTH = `Content-Length: ${BODY.length}\r\n`;

describe("what is no HTTP request gets a clean refusal and costs no key", () => {
  it.each([
    ["a bad request line", "HELLO\r\n\r\n", 400],
    ["no version", `GET ${PATH}\r\n\r\n`, 400],
    ["an unknown version", `GET ${PATH} HTTP/3.7\r\nHost: g\r\n\r\n`, 400],
    ["bytes of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["HTTP/2 without upgrade", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["a content-length that is no number", `${POST}Content-Length: ten\r\n\r\n${BODY}`, 400],
    ["a negative content-length", `${POST}Content-Length: -1\r\n\r\n`, 400],
    ["two lengths that agree", `${POST}${LENGTH}${LENGTH}\r\n${BODY}`, 400],
    ["two lengths that differ", `${POST}${LENGTH}Content-Length: 1\r\n\r\n${BODY}`, 400],
    ["a length and chunks", `${POST}${LENGTH}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [
      "chunks that are not the last coding",
      `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["a bad chunk size", `${POST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 400],
    ["a chunk longer than it says", `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n`, 400],
    [
      "a huge chunk extension",
      `${POST}Transfer-Encoding: chunked\r\n\r\n1;${"x".repeat(20_000)}\r\na\r\n0\r\n\r\n`,
      400,
    ],
    ["a folded header", `${POST}X-Folded: a\r\n b\r\n${LENGTH}\r\n${BODY}`, 400],
    ["NUL in a header", `${POST}X-Nul: a\0b\r\n${LENGTH}\r\n${BODY}`, 400],
    ["a space before the colon", `${POST}Content-Length : 2\r\n\r\n{}`, 400],
    ["a line end without CR", `POST ${PATH} HTTP/1.1\nHost: g\n${LENGTH}\n${BODY}`, 400],
    ["no host", `POST ${PATH} HTTP/1.1\r\n${LENGTH}\r\n${BODY}`, 400],
    ["CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", 405],
    ["TRACE", `TRACE ${PATH} HTTP/1.1\r\nHost: g\r\n\r\n`, 405],
    ["an unknown method", `PROPFIND ${PATH} HTTP/1.1\r\nHost: g\r\n\r\n`, 405],
    ["a control character in the target", `GET ${PATH}?\x01 HTTP/1.1\r\nHost: g\r\n\r\n`, 400],
    ["an encoded way out of the path", "GET /v1beta/%2e%2e/secret HTTP/1.1\r\nHost: g\r\n\r\n", 404],
    ["a path of another program", "GET /wp-login.php HTTP/1.1\r\nHost: g\r\n\r\n", 404],
    ["an asterisk", "GET * HTTP/1.1\r\nHost: g\r\n\r\n", 404],
    ["too large a head", `${POST}X-Large: ${"x".repeat(300_000)}\r\n\r\n`, 431],
  ])("%s", async (_what, request, status) => {
    const before = pool.emulator.calls.total;
    const answer = await exchangeRaw(pool.gateway.port, request);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { code: status, message: expect.any(String) },
    });
    expect(answer.header("x-request-id")).toMatch(/./);
    expect(pool.emulator.calls.total).toBe(before);
  });

  it("says which methods there are", async () => {
    const answer = await exchangeRaw(pool.gateway.port, `PROPFIND ${PATH} HTTP/1.1\r\nHost: g\r\n\r\n`);
    expect(answer.header("allow")).toContain("POST");
  });

  it("lets go of a client that goes on after it was refused", async () => {
    using client = await RawClient.open(pool.gateway.port, "nonsense\r\n\r\n");
    expect((await client.answer()).status).toBe(400);
    const more = setInterval(() => client.write("more nonsense\r\n"), 20);
    await client.reset().finally(() => clearInterval(more));
  });

  it("says nothing where only one more answer could be misread: inside another", async () => {
    const undo = pool.emulator.fault({
      match: { operation: "streamGenerateContent" },
      fault: { kind: "stall", afterEvents: 1 },
    });
    const head = POST.replace(":generateContent", ":streamGenerateContent?alt=sse");
    using client = await RawClient.open(pool.gateway.port, `${head}${LENGTH}\r\n${BODY}`);
    await client.hears("data: ");
    client.write("nonsense\r\n\r\n");
    undo();
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain("finishReason");
    expect(answer.body.toString()).not.toContain("HTTP/1.1");
  });
});

describe("what is unusual but right is served", () => {
  it.each([
    [
      "absolute form",
      `POST http://gateway.example:80${PATH} HTTP/1.1\r\nHost: gateway.example:80\r\n${LENGTH}\r\n${BODY}`,
    ],
    ["HTTP/1.0 without host", `POST ${PATH} HTTP/1.0\r\n${LENGTH}\r\n${BODY}`],
    [
      "an upgrade to h2c",
      `${POST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n${LENGTH}\r\n${BODY}`,
    ],
    ["an expectation nobody knows", `${POST}Expect: a-miracle\r\n${LENGTH}\r\n${BODY}`],
    ["an empty line before the request", `\r\n${POST}${LENGTH}\r\n${BODY}`],
    [
      "a small chunk extension",
      `${POST}Transfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)};a=b\r\n${BODY}\r\n0\r\n\r\n`,
    ],
    [
      "trailers",
      `${POST}Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nX-T: 1\r\n\r\n`,
    ],
    ["a double slash", `POST /${PATH} HTTP/1.1\r\nHost: g\r\n${LENGTH}\r\n${BODY}`],
  ])("%s", async (_what, request) => {
    expect((await exchangeRaw(pool.gateway.port, request)).status).toBe(200);
  });

  it("a GET with a body, and the connection goes on", async () => {
    using client = await RawClient.open(pool.gateway.port);
    for (let round = 0; round < 3; round += 1) {
      client.write("GET /v1beta/models HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}");
      const answer = await client.answer();
      expect(answer.status).toBe(200);
      expect(answer.body.toString()).toContain('"models"');
    }
  });

  it("a POST without a body is judged by the upstream", async () => {
    const before = pool.emulator.calls.total;
    const answer = await exchangeRaw(pool.gateway.port, `${POST}\r\n`);
    expect(answer.status).toBe(400);
    expect(pool.emulator.calls.total).toBe(before + 1);
  });

  it("pipelined requests, answered in their order", async () => {
    const requests = ["one", "two", "three"].map((text) => {
      const body = promptBody(text);
      return `${POST}Content-Length: ${body.length}\r\n\r\n${body}`;
    });
    using client = await RawClient.open(pool.gateway.port, requests.join(""));
    for (const text of ["one", "two", "three"]) {
      expect((await client.answer()).body.toString()).toContain(`you said \\"${text}\\"`);
    }
  });

  it("Expect: 100-continue: leave is given, then the answer", async () => {
    using client = await RawClient.open(pool.gateway.port, `${POST}Expect: 100-continue\r\n${LENGTH}\r\n`);
    expect((await client.answer()).status).toBe(100);
    client.write(BODY);
    expect((await client.answer()).status).toBe(200);
  });

  it("Expect: 100-continue: no leave for a body that is too large", async () => {
    const request = `${POST}Expect: 100-continue\r\nContent-Length: 9999999999\r\n\r\n`;
    const answer = await exchangeRaw(pool.gateway.port, request);
    expect(answer.status).toBe(413);
    expect(answer.header("connection")).toBe("close");
  });
});

describe("connections", () => {
  it("are kept for the next request", async () => {
    using client = await RawClient.open(pool.gateway.port);
    for (let round = 0; round < 3; round += 1) {
      client.write(`${POST}${LENGTH}\r\n${BODY}`);
      const answer = await client.answer();
      expect(answer.status).toBe(200);
      expect(answer.header("connection")).toBe("keep-alive");
    }
  });

  it("are closed when the client asks for it", async () => {
    using client = await RawClient.open(
      pool.gateway.port,
      `${POST}Connection: close\r\n${LENGTH}\r\n${BODY}`,
    );
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(answer.header("connection")).toBe("close");
    await client.closed();
  });

  it("of HTTP/1.0 end with the answer; a stream comes without chunks", async () => {
    const line = `POST /v1beta/models/${MODEL}:streamGenerateContent?alt=sse HTTP/1.0\r\n`;
    using client = await RawClient.open(pool.gateway.port, `${line}${LENGTH}\r\n${BODY}`);
    await client.closed();
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(answer.header("transfer-encoding")).toBeUndefined();
    expect(answer.body.toString()).toMatch(/^data: \{[^]*finishReason[^]*\}\s*$/);
  });

  it("of HTTP/1.0 are kept when the client asks for it and the length is known", async () => {
    using client = await RawClient.open(pool.gateway.port);
    for (let round = 0; round < 2; round += 1) {
      client.write(`POST ${PATH} HTTP/1.0\r\nConnection: keep-alive\r\n${LENGTH}\r\n${BODY}`);
      expect((await client.answer()).status).toBe(200);
    }
  });
});

describe("HEAD", () => {
  it.each([
    ["/healthz", 200],
    ["/readyz", 200],
    ["/nowhere", 404],
    // The emulator's own answer, passed on.
    ["/v1beta/models", 404],
  ])("%s is answered without a body, and the connection goes on", async (path, status) => {
    using client = await RawClient.open(pool.gateway.port);
    for (let round = 0; round < 2; round += 1) {
      client.write(`HEAD ${path} HTTP/1.1\r\nHost: g\r\n\r\n`);
      expect((await client.answer(true)).status).toBe(status);
    }
  });
});
