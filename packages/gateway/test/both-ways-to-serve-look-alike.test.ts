/**
 * A client is served by the gateway's own reader or by node:http, whichever its bytes call for: it must not be able to
 * tell by which. An empty line before a request is for node alone (see requests-are-read-as-node-reads-them.test.ts).
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { RawClient, type RawAnswer } from "./harness/raw-client.ts";
import { chunkOf, LAST_CHUNK } from "./harness/raw-upstream.ts";
import { MODEL, promptBody } from "./harness/requests.ts";

const FOR_NODE = "\r\n";
const BODY = promptBody();
const LENGTH = `Content-Length: ${BODY.length}\r\n`;
const UNARY = `POST /v1beta/models/${MODEL}:generateContent HTTP/1.1\r\nHost: g\r\n`;
const STREAM = `POST /v1beta/models/${MODEL}:streamGenerateContent?alt=sse HTTP/1.1\r\nHost: g\r\n`;

let pool: Pool;
beforeAll(async () => {
  pool = await startPool({
    flags: { workers: 1, "limits-body": "100KB", "cors-origins": "https://a.example" },
  });
});
afterAll(() => pool[Symbol.asyncDispose]());

/** The emulator's answers differ in length by the numbers in them. */
const CHANGING: ReadonlySet<string> = new Set(["x-request-id", "date", "server-timing", "content-length"]);

/** All of an answer that does not differ from one time to the next. */
function lasting({ status, headers, body }: RawAnswer): object {
  const told = headers.map(([name, value]) => [name, CHANGING.has(name.toLowerCase()) ? "…" : value]);
  return { status, told, hasBody: body.length > 0 };
}

describe("the same request gets the same answer", () => {
  it.each([
    ["a unary answer", `${UNARY}${LENGTH}\r\n${BODY}`],
    ["a unary answer, the last", `${UNARY}${LENGTH}Connection: close\r\n\r\n${BODY}`],
    ["a stream", `${STREAM}${LENGTH}\r\n${BODY}`],
    ["a stream, the last", `${STREAM}${LENGTH}Connection: close\r\n\r\n${BODY}`],
    ["a refusal of the upstream", `${UNARY}Content-Length: 2\r\n\r\n{}`],
    ["a list of models", "GET /v1beta/models?pageSize=1 HTTP/1.1\r\nHost: g\r\n\r\n"],
    ["an unknown path", "GET /nowhere HTTP/1.1\r\nHost: g\r\n\r\n"],
    ["an unknown path with a body", `POST /nowhere HTTP/1.1\r\nHost: g\r\n${LENGTH}\r\n${BODY}`],
    ["a body over the limit", `${UNARY}Content-Length: 9999999\r\n\r\n`],
    ["a probe", "GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n"],
    ["a probe with a body", `POST /healthz HTTP/1.1\r\nHost: g\r\n${LENGTH}\r\n${BODY}`],
    ["HEAD of a probe", "HEAD /readyz HTTP/1.1\r\nHost: g\r\n\r\n"],
    ["HEAD that the upstream answers", "HEAD /v1beta/models HTTP/1.1\r\nHost: g\r\n\r\n"],
    ["a page", "GET /metrics HTTP/1.1\r\nHost: g\r\n\r\n"],
    ["a page refused", "GET /status HTTP/1.1\r\nHost: g\r\n\r\n"],
    [
      "a preflight",
      "OPTIONS /v1beta/models HTTP/1.1\r\nHost: g\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    ],
    ["a page's request", `${UNARY}Origin: https://a.example\r\n${LENGTH}\r\n${BODY}`],
    ["a foreign page's request", `${UNARY}Origin: https://b.example\r\n${LENGTH}\r\n${BODY}`],
  ])("%s", async (_what, request) => {
    const answers: object[] = [];
    for (const before of ["", FOR_NODE]) {
      using client = await RawClient.open(pool.gateway.port, before + request);
      answers.push(lasting(await client.answer(request.startsWith("HEAD"))));
      if (request.includes("close")) await client.closed();
    }
    expect(answers[0]).toEqual(answers[1]);
  });
});

describe("one connection", () => {
  it("goes over from the one to the other between requests, and nothing is lost", async () => {
    using client = await RawClient.open(pool.gateway.port);
    const texts = ["plain", "in chunks", "plain again", "and again"];
    for (const text of texts) {
      const body = promptBody(text);
      if (text === "in chunks") {
        client.write(`${UNARY}Transfer-Encoding: chunked\r\n\r\n`);
        client.write(Buffer.concat([chunkOf(Buffer.from(body)), Buffer.from(LAST_CHUNK)]));
      } else {
        client.write(`${UNARY}Content-Length: ${body.length}\r\n\r\n${body}`);
      }
      const answer = await client.answer();
      expect(answer.status).toBe(200);
      expect(answer.body.toString()).toContain(`you said \\"${text}\\"`);
    }
  });

  it("goes over in the middle of a head", async () => {
    using client = await RawClient.open(pool.gateway.port, `${UNARY}${LENGTH}\r\n${BODY}`);
    expect((await client.answer()).status).toBe(200);
    const [first, ...rest] = `${UNARY}${LENGTH}\r\n`.match(/[^]{1,40}/g) ?? [];
    client.write(first ?? "");
    // Each piece is there before the next one is sent: another connection has been answered meanwhile.
    using other = await RawClient.open(pool.gateway.port);
    for (const piece of rest) {
      other.write("GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
      await other.answer();
      client.write(piece);
    }
    client.write(BODY);
    expect((await client.answer()).status).toBe(200);
    client.write("GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
    expect((await client.answer()).body.toString()).toContain("alive");
  });

  it("answers in their order requests that are sent while it answers another", async () => {
    const undo = pool.emulator.fault({
      match: { operation: "streamGenerateContent" },
      fault: { kind: "stall", afterEvents: 1 },
    });
    using client = await RawClient.open(pool.gateway.port, `${STREAM}${LENGTH}\r\n${BODY}`);
    await client.hears("data: ");
    const ahead = ["one", "two", "three"].map((text) => promptBody(text));
    for (const body of ahead) client.write(`${UNARY}Content-Length: ${body.length}\r\n\r\n${body}`);
    client.write("GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
    undo();
    expect((await client.answer()).body.toString()).toContain("finishReason");
    for (const text of ["one", "two", "three"]) {
      expect((await client.answer()).body.toString()).toContain(`you said \\"${text}\\"`);
    }
    expect((await client.answer()).body.toString()).toContain("alive");
  });
});
