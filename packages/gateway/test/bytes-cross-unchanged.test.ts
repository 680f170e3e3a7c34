import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { RawClient, type RawAnswer } from "./harness/raw-client.ts";
import {
  chunkOf,
  headOf,
  LAST_CHUNK,
  startRawUpstream,
  writePieces,
  type RawUpstream,
} from "./harness/raw-upstream.ts";

type Pieces = readonly (string | Buffer)[];

/** How the upstream answers the next call: a head and the pieces that follow it. */
let pieces: Pieces | (() => Pieces) = [];
let upstream: RawUpstream;
let pool: Pool;

beforeAll(async () => {
  upstream = await startRawUpstream(({ socket }) =>
    writePieces(socket, typeof pieces === "function" ? pieces() : pieces),
  );
  pool = await startPool({ upstream: upstream.url, flags: { workers: 1 } });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const MODEL_PATH = "/v1beta/models/gemini-2.5-flash";
const DOWNLOAD = "GET /download/v1beta/files/abc:download?alt=media";

function requestOf(line: string, body?: Buffer): Buffer {
  const length = body === undefined ? "" : `content-length: ${body.length}\r\n`;
  return Buffer.concat([
    Buffer.from(`${line} HTTP/1.1\r\nhost: gateway\r\n${length}\r\n`),
    body ?? Buffer.alloc(0),
  ]);
}

async function ask(request: Buffer | readonly Buffer[]): Promise<RawAnswer> {
  using client = await RawClient.open(pool.gateway.port);
  await writePieces(client.socket, Array.isArray(request) ? (request as Buffer[]) : [request as Buffer]);
  return await client.answer();
}

/** Cuts bytes at the given places, taken modulo the length. */
function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const binary = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { minLength: 1, maxLength: 6 });
const lineEnd = fc.constantFrom("\r\n", "\n");

function candidate(text: string, isLast: boolean): object {
  return { candidates: [{ content: { parts: [{ text }] }, ...(isLast ? { finishReason: "STOP" } : {}) }] };
}

function sseOf(parts: readonly string[], end: string): Buffer {
  const events = parts.map(
    (text, at) => `data: ${JSON.stringify(candidate(text, at === parts.length - 1))}${end}${end}`,
  );
  return Buffer.from(events.join(""));
}

function arrayOf(parts: readonly string[], end: string): Buffer {
  const elements = parts.map((text, at) =>
    JSON.stringify(candidate(text, at === parts.length - 1), undefined, 2),
  );
  return Buffer.from(`[${elements.join(`${end},`)}${end}]`);
}

function chunked(head: readonly string[], chunks: readonly Buffer[]): (string | Buffer)[] {
  const framed = chunks.filter(({ length }) => length > 0).map(chunkOf);
  return [headOf(200, [...head, "transfer-encoding: chunked"]), ...framed, LAST_CHUNK];
}

const RUNS = { numRuns: 40 };

describe("from the upstream to the client", () => {
  it("any bytes with a length", async () => {
    await fc.assert(
      fc.asyncProperty(binary, cuts, async (body, places) => {
        pieces = [
          headOf(200, ["content-type: application/octet-stream"], body.length),
          ...cutAt(body, places),
        ];
        const { status, body: received } = await ask(requestOf(DOWNLOAD));
        expect(status).toBe(200);
        expect(received.equals(body)).toBe(true);
      }),
      RUNS,
    );
  });

  it("any bytes in chunks, whatever their framing is cut into", async () => {
    await fc.assert(
      fc.asyncProperty(binary, cuts, cuts, async (body, chunkPlaces, places) => {
        const [head = "", ...framed] = chunked(
          ["content-type: application/octet-stream"],
          cutAt(body, chunkPlaces),
        );
        pieces = [head, ...cutAt(Buffer.concat(framed.map((piece) => Buffer.from(piece))), places)];
        expect((await ask(requestOf(DOWNLOAD))).body.equals(body)).toBe(true);
      }),
      RUNS,
    );
  });

  it("a stream of events, cut anywhere, also inside a character", async () => {
    await fc.assert(
      fc.asyncProperty(texts, lineEnd, cuts, async (parts, end, places) => {
        const body = sseOf(["x", ...parts], end);
        pieces = chunked(["content-type: text/event-stream"], cutAt(body, places));
        const answer = await ask(
          requestOf(`POST ${MODEL_PATH}:streamGenerateContent?alt=sse`, Buffer.from("{}")),
        );
        expect(answer.body.toString()).toBe(body.toString());
      }),
      RUNS,
    );
  });

  it("streams of many clients at once, in one piece or event by event, to each its own", async () => {
    const type = ["content-type: text/event-stream"];
    const bodies: string[] = [];
    pieces = () => {
      const number = bodies.length;
      const body = sseOf([`first of ${number}`, "x".repeat(number * 20), `last of ${number}`], "\r\n");
      bodies.push(body.toString());
      const ways = chunked(type, number % 3 === 0 ? cutAt(body, [60, 90]) : [body]);
      return number % 2 === 0 ? [ways.join("")] : ways;
    };
    const request = requestOf(`POST ${MODEL_PATH}:streamGenerateContent?alt=sse`, Buffer.from("{}"));
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(request)));
    expect(answers.map(({ body }) => body.toString()).toSorted()).toEqual(bodies.toSorted());
  });

  it("a streamed JSON array, cut anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(texts, lineEnd, cuts, async (parts, end, places) => {
        const body = arrayOf(["x", ...parts], end);
        pieces = chunked(["content-type: application/json; charset=UTF-8"], cutAt(body, places));
        const answer = await ask(requestOf(`POST ${MODEL_PATH}:streamGenerateContent`, Buffer.from("{}")));
        expect(answer.body.toString()).toBe(body.toString());
      }),
      RUNS,
    );
  });

  it("a whole answer, with or without a length", async () => {
    await fc.assert(
      fc.asyncProperty(texts, cuts, fc.boolean(), async (parts, places, isChunked) => {
        const body = Buffer.from(`${JSON.stringify(candidate(`x${parts.join("")}`, true), undefined, 2)}\n`);
        const type = "content-type: application/json; charset=UTF-8";
        pieces = isChunked
          ? chunked([type], cutAt(body, places))
          : [headOf(200, [type], body.length), ...cutAt(body, places)];
        const answer = await ask(requestOf(`POST ${MODEL_PATH}:generateContent`, Buffer.from("{}")));
        expect(answer.body.toString()).toBe(body.toString());
        expect(answer.header("content-length")).toBe(String(body.length));
      }),
      RUNS,
    );
  });

  it("an error of the caller's, as Google laid it out", async () => {
    const body = Buffer.from(
      '{\n  "error": {\n    "code": 400,\n    "message": "* é\\n",\n    "status": "INVALID_ARGUMENT"\n  }\n}\n',
    );
    pieces = [
      headOf(400, ["content-type: application/json; charset=UTF-8"], body.length),
      ...cutAt(body, [50, 60]),
    ];
    const answer = await ask(requestOf(`POST ${MODEL_PATH}:generateContent`, Buffer.from("{}")));
    expect(answer.status).toBe(400);
    expect(answer.body.equals(body)).toBe(true);
  });

  it("more than any buffer holds", async () => {
    const body = Buffer.alloc(24 * 1024 * 1024, "0123456789abcdef\n");
    pieces = [
      headOf(200, ["content-type: application/octet-stream"], body.length),
      ...cutAt(body, [1, 4_000_000, 11_000_001]),
    ];
    const answer = await ask(requestOf(DOWNLOAD));
    expect(answer.body.equals(body)).toBe(true);
  });
});

describe("from the client to the upstream", () => {
  const OK = [headOf(200, ["content-type: application/json"], 2), "{}"];

  async function sent(request: readonly Buffer[]): Promise<{ readonly url: string; readonly body: Buffer }> {
    pieces = OK;
    const index = upstream.calls.length;
    expect((await ask(request)).status).toBe(200);
    return upstream.call(index);
  }

  const line = `POST ${MODEL_PATH}:countTokens`;

  it("any body with a length", async () => {
    await fc.assert(
      fc.asyncProperty(binary, cuts, async (body, places) => {
        const call = await sent(cutAt(requestOf(line, body), places));
        expect(call.body.equals(body)).toBe(true);
      }),
      RUNS,
    );
  });

  it("any body in chunks", async () => {
    await fc.assert(
      fc.asyncProperty(binary, cuts, cuts, async (body, chunkPlaces, places) => {
        const chunks = cutAt(body, chunkPlaces).filter(({ length }) => length > 0);
        const head = Buffer.from(`${line} HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n`);
        const request = Buffer.concat([head, ...chunks.map(chunkOf), Buffer.from(LAST_CHUNK)]);
        const call = await sent(cutAt(request, places));
        expect(call.body.equals(body)).toBe(true);
      }),
      RUNS,
    );
  });

  it("a body in thousands of tiny chunks", async () => {
    const body = Buffer.alloc(20_000, "abcdefg");
    const chunks = Array.from(body, (byte) => chunkOf(Buffer.from([byte])));
    const head = Buffer.from(`${line} HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n`);
    const call = await sent([Buffer.concat([head, ...chunks, Buffer.from(LAST_CHUNK)])]);
    expect(call.body.equals(body)).toBe(true);
  });

  it("the query, byte for byte but for credentials", async () => {
    const parameter = fc
      .stringMatching(/^[a-z$]{1,8}(=[A-Za-z0-9%._~:,;@!'()*+/?-]{0,20})?$/)
      .filter((text) => {
        const names = text.split("?").map((part) => part.split("=")[0]?.replace("$", "") ?? "");
        return (
          !names.some((name) => ["key", "alt", "fields", "userproject"].includes(name)) && !names.includes("")
        );
      });
    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { maxLength: 6 }), fc.nat(6), async (parameters, at) => {
        const query = parameters.join("&");
        const withKey = parameters.toSpliced(at, 0, "key=client-credential").join("&");
        const call = await sent([requestOf(`${line}?${withKey}`, Buffer.from("{}"))]);
        expect(call.url).toBe(`${MODEL_PATH}:countTokens${query === "" ? "" : `?${query}`}`);
      }),
      RUNS,
    );
  });
});

describe("headers", () => {
  it("pass to the client but for those of the upstream's connection and of Google's own site", async () => {
    const passed = [
      ["Content-Type", "application/json; charset=UTF-8"],
      ["Vary", "Origin"],
      ["Vary", "Referer"],
      ["Server-Timing", "gfet4t7; dur=12"],
      ["X-Gemini-Service-Tier", "standard"],
      ["Content-Disposition", "attachment"],
      ["X-Odd", "caf\xe9  two spaces"],
    ];
    const stripped = [
      'Alt-Svc: h3=":443"',
      "Set-Cookie: a=b",
      "Keep-Alive: timeout=4",
      "Connection: X-Hop",
      "X-Hop: 1",
    ];
    const own = [
      "X-Request-Id: theirs",
      "X-Gateway-Attempts: theirs",
      "Access-Control-Allow-Origin: https://theirs.example",
    ];
    const lines = passed.map(([name, value]) => `${name}: ${value}`);
    pieces = [Buffer.from(headOf(200, [...lines, ...stripped, ...own], 2), "latin1"), "{}"];
    const answer = await ask(requestOf(`POST ${MODEL_PATH}:countTokens`, Buffer.from("{}")));
    for (const pair of passed) expect(answer.headers).toContainEqual(pair);
    const names = new Set(answer.headers.map(([name]) => name.toLowerCase()));
    for (const name of [
      "alt-svc",
      "set-cookie",
      "x-hop",
      "x-gateway-attempts",
      "access-control-allow-origin",
    ]) {
      expect(names).not.toContain(name);
    }
    expect(answer.header("x-request-id")).not.toContain("theirs");
  });

  it("go upstream with one credential and nothing of who asked", async () => {
    pieces = [headOf(200, ["content-type: application/json"], 2), "{}"];
    const index = upstream.calls.length;
    const request =
      `POST ${MODEL_PATH}:countTokens?key=client-credential HTTP/1.1\r\nHost: gateway.example\r\n` +
      "Authorization: Bearer client-credential\r\nX-Goog-Api-Key: client-credential\r\nCookie: client-credential\r\n" +
      "X-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\nVia: 1.1 client-proxy\r\nX-Request-Id: client-proxy\r\n" +
      "X-Goog-User-Project: client-proxy\r\nOrigin: http://client-proxy.localhost\r\nX-Gateway-Debug: 1\r\n" +
      "Connection: X-Hop\r\nX-Hop: client-proxy\r\nX-Goog-Api-Client: genai/3\r\nX-Server-Timeout: 20\r\n" +
      "Content-Length: 2\r\n\r\n{}";
    await ask(Buffer.from(request));
    const { rawHeaders } = await upstream.call(index);
    const text = rawHeaders.join("\n");
    expect(text).not.toMatch(/client-credential|client-proxy|192\.0\.2\.7|gateway/i);
    expect(rawHeaders.filter((name) => name.toLowerCase() === "x-goog-api-key")).toHaveLength(1);
    expect(text).toContain("X-Server-Timeout\n20");
    expect(text).toContain("X-Goog-Api-Client\ngenai/3");
  });
});
