import { describe, expect, it } from "vitest";
import type { FramedHead } from "./answer-head.ts";
import { AnswerReader } from "./answer-reader.ts";

const HEAD_BYTES_MAX = 4096;
const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

interface Read {
  readonly head: FramedHead | undefined;
  readonly body: string;
  readonly fault: string | undefined;
  readonly isComplete: boolean;
}

/** Reads the text in pieces of that many octets. */
function read(text: string, size: number, isBodiless = false): Read {
  const reader = new AnswerReader(HEAD_BYTES_MAX);
  reader.begin(isBodiless);
  let head: FramedHead | undefined;
  let body = "";
  for (let at = 0; at < text.length; at += size) {
    const piece = Buffer.from(text.slice(at, at + size), "latin1");
    reader.read(piece, piece.length);
    head = reader.newHead ?? head;
    body += piece.toString("latin1", reader.dataStart, reader.dataEnd);
  }
  return { head, body, fault: reader.fault, isComplete: reader.isComplete };
}

/** In all sizes of pieces alike. */
function readAnyhow(text: string, isBodiless = false): Read {
  const whole = read(text, text.length, isBodiless);
  for (const size of [1, 2, 3, 7]) expect(read(text, size, isBodiless)).toEqual(whole);
  return whole;
}

describe("a head is refused", () => {
  it.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["a greeting of mail", "220 mail.test ESMTP\r\n"],
    ["TLS", "\x15\x03\x01\x00\x02\x02\x28"],
    ["an empty line before it", `\r\n${OK}\r\n`],
    ["HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"],
    ["HTTP/0.9", "HTTP/0.9 200 OK\r\n\r\n"],
    ["a version of two digits", "HTTP/1.10 200 OK\r\n\r\n"],
    ["lower case", "http/1.1 200 OK\r\n\r\n"],
    ["two spaces", "HTTP/1.1  200 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n"],
    ["a sign", "HTTP/1.1 +20 OK\r\n\r\n"],
    ["a bare LF after the status", "HTTP/1.1 200 OK\n\r\n"],
    ["a bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"],
    ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"],
    ["a space before the colon", `${OK}content-length : 3\r\n\r\nabc`],
    ["a space before the name", `${OK} content-length: 3\r\n\r\nabc`],
    ["a folded line", `${OK}x: a\r\n b\r\n\r\n`],
    ["a folded line with a tab", `${OK}x: a\r\n\tb\r\n\r\n`],
    ["no name", `${OK}: a\r\n\r\n`],
    ["no colon", `${OK}abc\r\n\r\n`],
    ["a name with a space", `${OK}a b: c\r\n\r\n`],
    ["a name beyond ASCII", `${OK}\xe9: c\r\n\r\n`],
    ["a bare LF after a value", `${OK}a: b\nc: d\r\n\r\n`],
    ["a bare CR in a value", `${OK}a: b\rc: d\r\n\r\n`],
    ["CR CR LF", `${OK}a: b\r\r\n\r\n`],
    ["NUL in a value", `${OK}a: b\0c\r\n\r\n`],
    ["DEL in a value", `${OK}a: b\x7fc\r\n\r\n`],
    ["an end by LF", `${OK}a: b\r\n\n`],
    ["an end by CR and something", `${OK}a: b\r\n\rx`],
    ["two lengths", `${OK}content-length: 3\r\ncontent-length: 4\r\n\r\nabc`],
    ["the same length twice", `${OK}content-length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ["a list of lengths", `${OK}content-length: 3, 3\r\n\r\nabc`],
    ["an empty length", `${OK}content-length:\r\n\r\n`],
    ["a length with a sign", `${OK}content-length: +3\r\n\r\nabc`],
    ["a negative length", `${OK}content-length: -3\r\n\r\nabc`],
    ["a length in hexadecimal", `${OK}content-length: 0x3\r\n\r\nabc`],
    ["a length that no number holds", `${OK}content-length: 18446744073709551619\r\n\r\nabc`],
    ["a length and a coding", `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a coding and a length", `${OK}transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n`],
    ["another coding", `${OK}transfer-encoding: gzip\r\n\r\n`],
    ["another coding first", `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ["identity", `${OK}transfer-encoding: identity\r\n\r\n`],
    ["chunked in disguise", `${OK}transfer-encoding: xchunked\r\n\r\n`],
    // llhttp takes it for another coding.
    ["a tab behind chunked", `${OK}transfer-encoding: chunked\t\r\n\r\n1\r\na\r\n0\r\n\r\n`],
    ["a space and a tab behind chunked", `${OK}transfer-encoding: chunked \t\r\n\r\n0\r\n\r\n`],
    ["chunked twice", `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["an empty coding", `${OK}transfer-encoding:\r\n\r\n`],
    ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["contradictions where there is no body", "HTTP/1.1 204 x\r\ncontent-length: a\r\n\r\n"],
    ["an interim answer that ends the connection", `HTTP/1.1 103 x\r\nconnection: close\r\n\r\n${OK}\r\n`],
    ["an interim answer of HTTP/1.0", `HTTP/1.0 100 Continue\r\n\r\n${OK}\r\n`],
    ["an interim answer with a body", `HTTP/1.1 103 x\r\ncontent-length: 3\r\n\r\nabc${OK}\r\n`],
    ["interim answers without an end", "HTTP/1.1 102 Processing\r\n\r\n".repeat(40)],
  ])("with %s", (_, text) => {
    expect(readAnyhow(text)).toMatchObject({ head: undefined, fault: "ANSWER_HEAD_MALFORMED" });
  });

  it("of an upgrade nobody asked for", () => {
    expect(readAnyhow("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")).toMatchObject({
      head: undefined,
      fault: "ANSWER_UPGRADED",
    });
  });

  it("larger than it may be, whether it ends or not", () => {
    const endless = `${OK}x: ${"y".repeat(HEAD_BYTES_MAX)}`;
    expect(readAnyhow(endless).fault).toBe("ANSWER_HEAD_TOO_LARGE");
    expect(readAnyhow(`${endless}\r\n\r\n`).fault).toBe("ANSWER_HEAD_TOO_LARGE");
    const largest = `${OK}x: ${"y".repeat(HEAD_BYTES_MAX - OK.length - "x: \r\n\r\n".length)}\r\n\r\n`;
    expect(readAnyhow(largest)).toMatchObject({ head: { status: 200 }, fault: undefined });
    expect(readAnyhow(largest.replace("x:", "x: ")).fault).toBe("ANSWER_HEAD_TOO_LARGE");
  });

  it("with too many headers", () => {
    expect(readAnyhow(`${OK}${"a:\r\n".repeat(1000)}\r\n`).head?.rawHeaders).toHaveLength(2000);
    expect(readAnyhow(`${OK}${"a:\r\n".repeat(1001)}\r\n`).fault).toBe("ANSWER_HEAD_MALFORMED");
  });
});

describe("a chunked body is refused", () => {
  it.each([
    ["no size", "\r\nabc\r\n0\r\n\r\n"],
    ["a size that is no number", "x\r\nabc\r\n0\r\n\r\n"],
    ["a sign", "+3\r\nabc\r\n0\r\n\r\n"],
    ["0x", "0x3\r\nabc\r\n0\r\n\r\n"],
    ["a space before the size", " 3\r\nabc\r\n0\r\n\r\n"],
    ["a space after the size", "3 \r\nabc\r\n0\r\n\r\n"],
    ["a size that wraps around", "10000000000000003\r\nabc\r\n0\r\n\r\n"],
    ["a bare LF after the size", "3\nabc\r\n0\r\n\r\n"],
    ["a bare CR after the size", "3\rabc\r\n0\r\n\r\n"],
    ["more than its size", "3\r\nabcd\r\n0\r\n\r\n"],
    ["a bare LF after the data", "3\r\nabc\n0\r\n\r\n"],
    ["no line end after the data", "3\r\nabc0\r\n\r\n"],
    ["an extension without a name", "3;\r\nabc\r\n0\r\n\r\n"],
    ["an extension with a space", "3; a\r\nabc\r\n0\r\n\r\n"],
    ["an extension with LF", "3;a\nb\r\nabc\r\n0\r\n\r\n"],
    ["an extension without its value", "3;a=\r\nabc\r\n0\r\n\r\n"],
    ["a line end inside quotes", '3;a="b\r\nc"\r\nabc\r\n0\r\n\r\n'],
    ["something after the quotes", '3;a="b"c\r\nabc\r\n0\r\n\r\n'],
    ["an extension without an end", `3;${"a".repeat(5000)}`],
    ["a trailer that is no header", "0\r\nabc\r\n\r\n"],
    ["a folded trailer", "0\r\na: b\r\n c\r\n\r\n"],
    ["a length in the trailer", "0\r\na: b\r\nContent-Length: 3\r\n\r\n"],
    ["a coding in the trailer", "0\r\ntransfer-encoding: chunked\r\n\r\n"],
    ["a trailer without an end", `0\r\n${"a: b\r\n".repeat(3000)}`],
    ["an end by LF", "0\r\n\n"],
  ])("with %s", (_, text) => {
    expect(readAnyhow(CHUNKED + text)).toMatchObject({ fault: "ANSWER_CHUNK_MALFORMED", isComplete: false });
  });

  it("only from the flaw on: what came before it is handed on", () => {
    expect(readAnyhow(`${CHUNKED}3\r\nabc\r\n2\r\nde\r\nx`)).toMatchObject({ body: "abcde" });
  });
});

describe("an answer is read", () => {
  it("with its headers as they are spelled, and no white space around their values", () => {
    const { head } = readAnyhow(`${OK}Content-Type: \t text/html \r\nX:\r\nVary:a\tb\r\nvary: \xe9\r\n\r\n`);
    expect(head).toMatchObject({
      status: 200,
      contentType: "text/html",
      rawHeaders: ["Content-Type", "text/html", "X", "", "Vary", "a\tb", "vary", "\xe9"],
    });
  });

  it.each([
    ["a length", `${OK}content-length: 5\r\n\r\nab\r\nc`, "ab\r\nc"],
    ["the length 0", `${OK}content-length: 0\r\n\r\n`, ""],
    ["chunks", `${CHUNKED}3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n`, "abc0123456789"],
    ["no chunk", `${CHUNKED}0\r\n\r\n`, ""],
    ["extensions", `${CHUNKED}3;a;b=c;d="e\\"\xe9"\r\nabc\r\n0;a\r\n\r\n`, "abc"],
    ["a trailer", `${CHUNKED}3\r\nabc\r\n0\r\na: b\r\nc:\r\n\r\n`, "abc"],
    ["no content", "HTTP/1.1 204 No Content\r\n\r\n", ""],
    ["nothing changed", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", ""],
    [
      "interim ones before",
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\na: b\r\n\r\n${OK}content-length: 1\r\n\r\na`,
      "a",
    ],
  ])("with %s", (_, text, body) => {
    expect(readAnyhow(text)).toMatchObject({ body, fault: undefined, isComplete: true });
  });

  it("without a body when HEAD asked for none", () => {
    for (const framing of ["content-length: 5", "transfer-encoding: chunked", "x: y"]) {
      expect(readAnyhow(`${OK}${framing}\r\n\r\n`, true)).toMatchObject({ body: "", isComplete: true });
    }
  });

  it("until the connection ends when nothing says how long it is", () => {
    const text = `${OK}\r\nabc`;
    expect(readAnyhow(text)).toMatchObject({ body: "abc", isComplete: false });
    const reader = new AnswerReader(HEAD_BYTES_MAX);
    reader.begin(false);
    reader.read(Buffer.from(text), text.length);
    expect([reader.end(), reader.isComplete]).toEqual([true, true]);
  });

  it.each([OK, `${OK}content-length: 5\r\n\r\nabc`, `${CHUNKED}3\r\nabc\r\n0\r\n`, ""])(
    "to be broken off when the connection ends after %j",
    (text) => {
      const reader = new AnswerReader(HEAD_BYTES_MAX);
      reader.begin(false);
      reader.read(Buffer.from(text), text.length);
      expect([reader.end(), reader.isComplete]).toEqual([false, false]);
    },
  );

  it("and the next one over the same connection", () => {
    const reader = new AnswerReader(HEAD_BYTES_MAX);
    for (const body of ["a", "bc", ""]) {
      reader.begin(false);
      const bytes = Buffer.from(`${OK}content-length: ${body.length}\r\n\r\n${body}`);
      reader.read(bytes, bytes.length);
      expect(bytes.toString("latin1", reader.dataStart, reader.dataEnd)).toBe(body);
      expect([reader.isComplete, reader.fault]).toEqual([true, undefined]);
    }
  });

  it("as whole, though more comes than it is long: what follows belongs to nobody", () => {
    expect(readAnyhow(`${OK}content-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n`)).toMatchObject({
      body: "abc",
      isComplete: true,
      fault: "ANSWER_UNASKED",
    });
    const reader = new AnswerReader(HEAD_BYTES_MAX);
    reader.read(Buffer.from(OK), OK.length);
    expect([reader.newHead, reader.fault]).toEqual([undefined, "ANSWER_UNASKED"]);
  });
});

describe("the connection", () => {
  const sized = "content-length: 0\r\n";

  it.each([
    ["HTTP/1.1", `${OK}${sized}\r\n`, true],
    ["close", `${OK}${sized}connection: close\r\n\r\n`, false],
    ["close among others", `${OK}${sized}connection: keep-alive\r\nConnection: x, CLOSE\r\n\r\n`, false],
    ["HTTP/1.0", `HTTP/1.0 200 OK\r\n${sized}\r\n`, false],
    ["HTTP/1.0 that keeps it", `HTTP/1.0 200 OK\r\n${sized}connection: Keep-Alive\r\n\r\n`, true],
    ["an answer without a length", `${OK}\r\n`, false],
    ["a body that must not be there", "HTTP/1.1 204 x\r\ncontent-length: 3\r\n\r\n", false],
    ["chunks that must not be there", "HTTP/1.1 304 x\r\ntransfer-encoding: chunked\r\n\r\n", false],
    ["chunks", `${CHUNKED}0\r\n\r\n`, true],
  ])("after %s serves another request: %s", (_, text, isKept) => {
    expect(readAnyhow(text).head?.isKept).toBe(isKept);
  });

  it("is kept as long as the server says", () => {
    const kept = (value: string) => readAnyhow(`${OK}${sized}Keep-Alive: ${value}\r\n\r\n`).head?.keptSeconds;
    expect(["timeout=5", "max=3, Timeout=60", "max=3", "xtimeout=3", ""].map(kept)).toEqual([
      5,
      60,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
