import fc from "fast-check";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KnownTexts } from "../src/http1/known-texts.ts";
import { readRequestHead, type RequestHead } from "../src/http1/request-head.ts";
import { HEADERS_COUNT_MAX, serverOptions } from "../src/worker/http-server.ts";
import { configFor } from "./harness/pool.ts";

const CONFIG = configFor("unused", "http://127.0.0.1:1", {});
const HEAD_BYTES_MAX = CONFIG.limits.headerBytes;
/** Bodies are made up to the declared length; no case declares more, else it is not compared. */
const BODY_BYTES_MAX = 100_000;
const SENTINEL = "GET /sentinel HTTP/1.1\r\nHost: s\r\n\r\n";
const RUNS = 4000;

/** One for all cases, as for all connections of a worker. */
const texts = new KnownTexts();

function read(bytes: Buffer): RequestHead | undefined {
  return readRequestHead(bytes, HEAD_BYTES_MAX, HEADERS_COUNT_MAX, texts);
}

/** What node made of some bytes. */
interface Seen {
  readonly requests: {
    readonly method: string;
    readonly target: string;
    readonly version: string;
    readonly rawHeaders: readonly string[];
    readonly isLast: boolean;
    readonly body: Buffer;
    readonly isComplete: boolean;
  }[];
  readonly oddities: string[];
}

let server: Server;
let seen: {
  requests: { request: IncomingMessage; response: ServerResponse; chunks: Buffer[] }[];
  oddities: string[];
};

beforeAll(() => {
  server = createServer(serverOptions(CONFIG));
  server.maxHeadersCount = HEADERS_COUNT_MAX;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    seen.requests.push({ request, response, chunks });
  });
  for (const event of ["checkContinue", "checkExpectation", "connect", "upgrade"]) {
    server.on(event, () => seen.oddities.push(event));
  }
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    seen.oddities.push(error.code ?? error.message);
    socket.destroy();
  });
});
afterAll(() => server.close());

/** Lets node's own parser read the bytes, as it reads those of a connection handed over to it. */
async function readByNode(bytes: Buffer): Promise<Seen> {
  seen = { requests: [], oddities: [] };
  const connection = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  server.emit("connection", connection);
  connection.push(bytes);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const requests = seen.requests.map(({ request, response, chunks }) => ({
    method: request.method ?? "",
    target: request.url ?? "",
    version: request.httpVersion,
    rawHeaders: request.rawHeaders,
    isLast: !response.shouldKeepAlive,
    body: Buffer.concat(chunks),
    isComplete: request.complete,
  }));
  connection.destroy();
  return { requests, oddities: seen.oddities };
}

/** Whether our reader accepted; fails when node then reads anything else, or finds the next request elsewhere. */
async function agrees(bytes: Buffer): Promise<boolean> {
  const head = read(bytes);
  if (head === undefined) return false;
  if (head.bodyBytes > BODY_BYTES_MAX) return true;
  const body = Buffer.alloc(head.bodyBytes, "GET / HTTP/1.1\r\nHost: body\r\n\r\n");
  const rest = head.isLast ? "" : SENTINEL;
  const { requests, oddities } = await readByNode(
    Buffer.concat([bytes.subarray(0, head.bytes), body, Buffer.from(rest)]),
  );
  const { method, target, rawHeaders, isLast } = head;
  expect(requests[0]).toEqual({ method, target, version: "1.1", rawHeaders, isLast, body, isComplete: true });
  expect(requests.slice(1).map((request) => request.target)).toEqual(head.isLast ? [] : ["/sentinel"]);
  expect(oddities).toEqual([]);
  return true;
}

const LINE = "POST /v1beta/models/m:generateContent?alt=sse HTTP/1.1\r\n";
const HOST = "Host: g\r\n";

describe("what is not plainly good is left to node", () => {
  it.each([
    ["a length and chunks", `${LINE}${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["chunks", `${LINE}${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["chunks, oddly cased", `${LINE}${HOST}tRANSFER-eNCODING: chunked\r\n\r\n0\r\n\r\n`],
    ["a coding nobody knows", `${LINE}${HOST}Transfer-Encoding: xchunked\r\n\r\n`],
    ["two lengths that agree", `${LINE}${HOST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ["two lengths that differ", `${LINE}${HOST}Content-Length: 2\r\ncontent-length: 3\r\n\r\n{}`],
    ["a list of lengths", `${LINE}${HOST}Content-Length: 2, 2\r\n\r\n{}`],
    ["a signed length", `${LINE}${HOST}Content-Length: +2\r\n\r\n{}`],
    ["a negative length", `${LINE}${HOST}Content-Length: -2\r\n\r\n{}`],
    ["a length with a space inside", `${LINE}${HOST}Content-Length: 1 2\r\n\r\n{}`],
    ["a length in hexadecimal", `${LINE}${HOST}Content-Length: 0x2\r\n\r\n{}`],
    ["a length with a fraction", `${LINE}${HOST}Content-Length: 2.0\r\n\r\n{}`],
    ["a length with an exponent", `${LINE}${HOST}Content-Length: 2e0\r\n\r\n{}`],
    ["a length with leading zeros", `${LINE}${HOST}Content-Length: 02\r\n\r\n{}`],
    ["no length in its header", `${LINE}${HOST}Content-Length:\r\n\r\n{}`],
    ["a length beyond 64 bits", `${LINE}${HOST}Content-Length: 18446744073709551618\r\n\r\n{}`],
    ["a folded header", `${LINE}${HOST}X-A: b\r\n c\r\n\r\n`],
    ["a folded length", `${LINE}${HOST}Content-Length:\r\n 2\r\n\r\n{}`],
    ["a fold before the first header", `${LINE} ${HOST}\r\n`],
    ["line ends without CR", `${LINE}${HOST}`.replaceAll("\r", "") + "\n"],
    ["one line end without CR", `${LINE}Host: g\nX-A: b\r\n\r\n`],
    ["a head that ends without CR", `${LINE}${HOST}\n`],
    ["a CR alone in a value", `${LINE}${HOST}X-A: b\rc\r\n\r\n`],
    ["a CR alone at the end of a value", `${LINE}${HOST}X-A: b\r\r\n\r\n`],
    ["NUL in a value", `${LINE}${HOST}X-A: b\0c\r\n\r\n`],
    ["NUL in a name", `${LINE}${HOST}X\0A: b\r\n\r\n`],
    ["a space before the colon", `${LINE}${HOST}Content-Length : 2\r\n\r\n{}`],
    ["a tab before the colon", `${LINE}${HOST}Content-Length\t: 2\r\n\r\n{}`],
    ["no colon", `${LINE}${HOST}Content-Length\r\n\r\n`],
    ["no name", `${LINE}${HOST}: 2\r\n\r\n`],
    ["bytes beyond ASCII in a value", Buffer.from(`${LINE}${HOST}X-A: \xff\r\n\r\n`, "latin1")],
    ["bytes beyond ASCII in a name", Buffer.from(`${LINE}${HOST}X-\xc4: a\r\n\r\n`, "latin1")],
    ["bytes beyond ASCII in the target", Buffer.from(`GET /\xc4 HTTP/1.1\r\n${HOST}\r\n`, "latin1")],
    ["DEL in a value", `${LINE}${HOST}X-A: \x7f\r\n\r\n`],
    ["HTTP/1.0", `GET / HTTP/1.0\r\n${HOST}\r\n`],
    ["HTTP/1.2", `GET / HTTP/1.2\r\n${HOST}\r\n`],
    ["HTTP/0.9", `GET /\r\n\r\n`],
    ["the absolute form", `GET http://g/ HTTP/1.1\r\n${HOST}\r\n`],
    ["the asterisk form", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
    ["the authority form", `CONNECT g:443 HTTP/1.1\r\n${HOST}\r\n`],
    ["a fragment", `GET /a#b HTTP/1.1\r\n${HOST}\r\n`],
    ["a space in the target", `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
    ["two spaces before the version", `GET /a  HTTP/1.1\r\n${HOST}\r\n`],
    ["a tab for a space", `GET\t/a HTTP/1.1\r\n${HOST}\r\n`],
    ["a space after the version", `GET /a HTTP/1.1 \r\n${HOST}\r\n`],
    ["an expectation", `${LINE}${HOST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`],
    ["an upgrade", `${LINE}${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
    ["an upgrade that the connection does not name", `${LINE}${HOST}Upgrade: h2c\r\n\r\n`],
    ["a connection of several words", `${LINE}${HOST}Connection: x, close\r\n\r\n`],
    ["two connection headers", `${LINE}${HOST}Connection: keep-alive\r\nConnection: close\r\n\r\n`],
    ["a connection of no words", `${LINE}${HOST}Connection:\r\n\r\n`],
    ["a proxy's connection header", `${LINE}${HOST}Proxy-Connection: close\r\n\r\n`],
    ["transfer codings accepted", `${LINE}${HOST}TE: trailers\r\n\r\n`],
    ["trailers announced", `${LINE}${HOST}Trailer: X\r\n\r\n`],
    ["empty lines before it", `\r\n\r\n${LINE}${HOST}\r\n`],
    ["a method in lower case", `get / HTTP/1.1\r\n${HOST}\r\n`],
    ["a method nobody knows", `BREW / HTTP/1.1\r\n${HOST}\r\n`],
    ["a rare method", `PROPFIND / HTTP/1.1\r\n${HOST}\r\n`],
    ["no host", "GET / HTTP/1.1\r\nX-A: b\r\n\r\n"],
    ["no header at all", "GET / HTTP/1.1\r\n\r\n"],
    ["two hosts", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    ["more headers than are kept", `GET / HTTP/1.1\r\n${HOST}${"a: b\r\n".repeat(HEADERS_COUNT_MAX)}\r\n`],
    ["too long a head", `GET / HTTP/1.1\r\n${HOST}X-A: ${"a".repeat(HEAD_BYTES_MAX)}\r\n\r\n`],
    ["half a head", `${LINE}${HOST}`],
    ["nothing", ""],
    ["HTTP/2 without upgrade", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["bytes of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
  ])("%s", (_what, text) => {
    expect(read(Buffer.from(text))).toBeUndefined();
  });
});

describe("what is plainly good is read as node reads it", () => {
  it.each([
    ["a request with a body", `${LINE}${HOST}Content-Length: 10\r\n\r\n`],
    ["without a body", `${LINE}${HOST}\r\n`],
    ["with a body of no bytes", `${LINE}${HOST}Content-Length: 0\r\n\r\n`],
    ["a GET with a body", `GET / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n`],
    ["a DELETE with a body", `DELETE /v1beta/files/a HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n`],
    ["OPTIONS of a path", `OPTIONS /a HTTP/1.1\r\n${HOST}\r\n`],
    ["the last of its connection", `${LINE}${HOST}cOnNeCtIoN: CLOSE\r\nContent-Length: 4\r\n\r\n`],
    ["one that says that it is not", `${LINE}${HOST}Connection: Keep-Alive\r\n\r\n`],
    [
      "white space around values",
      `${LINE}Host:\t g \t\r\nX-A:b\r\nX-B:   c d\te  \r\nX-C: \t \r\nX-D:\r\n\r\n`,
    ],
    ["every character of a token", `${LINE}${HOST}!#$%&'*+-.^_\`|~09AZaz: b\r\n\r\n`],
    [
      "every visible character of a target",
      `GET /${Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at))
        .join("")
        .replace("#", "")} HTTP/1.1\r\n${HOST}\r\n`,
    ],
    [
      "as many headers as are kept",
      `GET / HTTP/1.1\r\n${HOST}${"a: b\r\n".repeat(HEADERS_COUNT_MAX - 1)}\r\n`,
    ],
    ["a head as long as may be", `GET / HTTP/1.1\r\n${HOST}X-A: ${"a".repeat(HEAD_BYTES_MAX - 34)}\r\n\r\n`],
    ["a double slash", `GET //a//b?c=//d HTTP/1.1\r\n${HOST}\r\n`],
    ["an HTTP version in a value", `${LINE}${HOST}X-A: GET / HTTP/1.1\r\n\r\n`],
  ])("%s", async (_what, text) => {
    expect(await agrees(Buffer.from(text, "latin1"))).toBe(true);
  });

  it("also with whatever bytes are changed, put in or left out", async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(plainRequest(), fc.array(change(), { maxLength: 3 }), async (text, changes) => {
        const bytes = changes.reduce((changed, one) => one(changed), Buffer.from(text, "latin1"));
        if (await agrees(bytes)) accepted += 1;
      }),
      { numRuns: RUNS },
    );
    // A reader that accepts nothing would agree with everybody.
    expect(accepted).toBeGreaterThan(RUNS / 6);
  }, 60_000);

  it("and bytes that somebody made up are none", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 12 }), async (fragments) => {
        await agrees(Buffer.from(fragments.join(""), "latin1"));
        compared += 1;
      }),
      { numRuns: RUNS },
    );
    expect(compared).toBe(RUNS);
  }, 60_000);
});

/** What requests are made of, and what trouble is made with. */
const FRAGMENTS = [
  LINE,
  HOST,
  "GET / HTTP/1.1\r\n",
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  ":",
  ",",
  "0",
  "5",
  "\0",
  "\x0b",
  "\x7f",
  "\x80",
  "\xff",
  "#",
  "X-A: b\r\n",
  "X-A : b\r\n",
  " folded\r\n",
  "Content-Length: 5\r\n",
  "content-length: 6\r\n",
  "Content-Length: 5 \r\n",
  "Content-Length:\t7\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive\r\n",
  "Connection: upgrade\r\n",
  "Proxy-Connection: close\r\n",
  "Keep-Alive: timeout=1\r\n",
  "Upgrade: h2c\r\n",
  "Expect: 100-continue\r\n",
  "HTTP/1.0",
  "HTTP/1.1",
];

function plainRequest(): fc.Arbitrary<string> {
  const visible = fc.string({
    unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
  });
  const field = fc.tuple(
    fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/),
    fc.constantFrom("", " ", "\t", "  "),
    visible,
    fc.constantFrom("", " ", " \t"),
  );
  return fc
    .record({
      method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
      target: visible,
      fields: fc.array(field, { maxLength: 6 }),
      length: fc.option(fc.integer({ min: 0, max: 99 })),
      connection: fc.constantFrom("", "close", "keep-alive", "Close"),
      hostAt: fc.nat(3),
    })
    .map(({ method, target, fields, length, connection, hostAt }) => {
      const lines = fields.map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`);
      lines.splice(hostAt, 0, HOST);
      if (length !== null) lines.push(`Content-Length: ${length}\r\n`);
      if (connection !== "") lines.push(`Connection: ${connection}\r\n`);
      return `${method} /${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
    });
}

/** One byte or fragment changed, put in or left out, anywhere. */
function change(): fc.Arbitrary<(bytes: Buffer<ArrayBuffer>) => Buffer<ArrayBuffer>> {
  const piece = fc.oneof(
    fc.integer({ min: 0, max: 255 }).map((byte) => Buffer.from([byte])),
    fc.constantFrom(...FRAGMENTS).map((text) => Buffer.from(text, "latin1")),
  );
  return fc
    .record({ at: fc.double({ min: 0, max: 1, noNaN: true }), piece, leftOut: fc.nat(2) })
    .map(({ at, piece: put, leftOut }) => (bytes) => {
      const index = Math.floor(at * bytes.length);
      return Buffer.concat([bytes.subarray(0, index), put, bytes.subarray(index + leftOut)]);
    });
}
