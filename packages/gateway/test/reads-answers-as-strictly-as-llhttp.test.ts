import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytewise, cut, readByNode, readByOurs, type ReadAnswer } from "./harness/answer-readers.ts";

const method = fc.constantFrom("POST", "GET", "HEAD");
const places = fc.array(fc.nat({ max: 2_000 }), { maxLength: 6 });

const good = {
  status: fc.constantFrom(200, 200, 200, 204, 206, 304, 400, 429, 503, 999),
  reason: fc.constantFrom(" OK", "", " ", " Too Many\tRequests", " caf\xe9"),
  name: fc.constantFrom("Content-Type", "vary", "X-A", "x_odd!", "Date", "Keep-Alive"),
  value: fc.constantFrom("application/json", "", "a\tb", "\xe9\xff", "timeout=5, max=3", "a, b"),
  blank: fc.constantFrom("", " ", "  ", "\t", " \t "),
  connection: fc.constantFrom("keep-alive", "close", "Keep-Alive, x-hop", "upgrade"),
  extension: fc.constantFrom("", ";a", ";a=b", ';a="b;\\"c"', ";a;b=c"),
};
const body = fc
  .array(fc.constantFrom("a", "\r", "\n", "0", "\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\xff"), { maxLength: 8 })
  .map((parts) => parts.join(""));

const header = fc
  .record({ name: good.name, before: good.blank, value: good.value, after: good.blank })
  .map(({ name, before, value, after }) => `${name}:${before}${value}${after}\r\n`);

function chunked(parts: readonly string[], extension: string, trailer: string, isPadded: boolean): string {
  const chunks = parts
    .filter((part) => part !== "")
    .map(
      (part) => `${isPadded ? "00" : ""}${part.length.toString(16).toUpperCase()}${extension}\r\n${part}\r\n`,
    );
  return `${chunks.join("")}0${extension}\r\n${trailer}\r\n`;
}

/** Framing headers and the body they frame. */
const framed = fc.oneof(
  body.map((text) => ({ lines: `Content-Length: ${text.length}\r\n`, text })),
  fc
    .tuple(
      fc.array(body, { maxLength: 3 }),
      good.extension,
      fc.constantFrom("", "x-t: 1\r\n", "a: b\r\nc:\r\n"),
      fc.boolean(),
    )
    .map(([parts, extension, trailer, isPadded]) => ({
      lines: "transfer-encoding: chunked\r\n",
      text: chunked(parts, extension, trailer, isPadded),
    })),
  body.map((text) => ({ lines: "", text })),
);

/** Whole answers as a server may give them. */
const answer = fc
  .record({
    interim: fc.constantFrom(
      "",
      "",
      "",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n",
    ),
    minor: fc.constantFrom(1, 1, 1, 0),
    status: good.status,
    reason: good.reason,
    headers: fc.array(header, { maxLength: 4 }),
    connection: fc.option(good.connection),
    framed,
  })
  .map(({ interim, minor, status, reason, headers, connection, framed: { lines, text } }) => {
    const hop = connection === null ? "" : `connection: ${connection}\r\n`;
    return `${interim}HTTP/1.${minor} ${status}${reason}\r\n${headers.join("")}${hop}${lines}\r\n${text}`;
  });

const octets = [
  "",
  "\r",
  "\n",
  "\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  "0",
  "f",
  "-",
  "+",
  ",",
  "\x7f",
  "\x01",
  "\xff",
  '"',
  "=",
];
const framings = [
  "Content-Length: 3\r\n",
  "content-length: 0\r\n",
  "Content-Length: +3\r\n",
  "Content-Length: 3, 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "transfer-encoding: gzip, chunked\r\n",
  "transfer-encoding: identity\r\n",
  "Transfer-Encoding:\r\n",
  "ffffffffffffffff\r\n",
  "0\r\n\r\n",
];
const lines = [
  " folded\r\n",
  "x : y\r\n",
  "connection: close\r\n",
  "Connection: Upgrade\r\nUpgrade: h2c\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
];

/** What servers, proxies and attackers get wrong, put in anywhere. */
const flaws = fc.array(
  fc.record({
    at: fc.nat({ max: 400 }),
    deleted: fc.nat({ max: 3 }),
    inserted: fc.constantFrom(...octets, ...framings, ...lines),
  }),
  { minLength: 1, maxLength: 2 },
);

function flawed(text: string, changes: readonly { at: number; deleted: number; inserted: string }[]): string {
  let result = text;
  for (const { at, deleted, inserted } of changes) {
    const place = at % (result.length + 1);
    result = result.slice(0, place) + inserted + result.slice(place + deleted);
  }
  return result;
}

/** The way it is cut must not matter. */
function ours(asked: string, bytes: Buffer, at: readonly number[]): ReadAnswer | undefined {
  const inPieces = readByOurs(asked, cut(bytes, at));
  expect(readByOurs(asked, [bytes])).toEqual(inPieces);
  expect(readByOurs(asked, bytewise(bytes))).toEqual(inPieces);
  return inPieces;
}

describe("an answer", () => {
  const blanks = ["", " ", "\t", "  ", " \t", "\t ", "\t\t"];
  const pairs = blanks.flatMap((before) => blanks.map((after) => ({ before, after })));

  it.each([
    { name: "content-length", value: "3", sent: "abc" },
    { name: "transfer-encoding", value: "chunked", sent: "3\r\nabc\r\n0\r\n\r\n" },
  ])(
    "with any white space around $value is read as llhttp reads it or refused",
    async ({ name, value, sent }) => {
      let accepted = 0;
      for (const { before, after } of pairs) {
        const head = `HTTP/1.1 200 OK\r\n${name}:${before}${value}${after}\r\n\r\n`;
        const bytes = Buffer.from(`${head}${sent}`, "latin1");
        const theirs = await readByNode("POST", [bytes]);
        const read = ours("POST", bytes, []);
        if (read?.body === "abc") accepted += 1;
        expect({ head, read: read ?? theirs }).toEqual({ head, read: theirs });
      }
      // Without a tab behind the value at least, nobody may refuse.
      expect(accepted).toBeGreaterThanOrEqual(blanks.length * 3);
    },
  );

  it("that is good is read as llhttp reads it, in any pieces", async () => {
    await fc.assert(
      fc.asyncProperty(method, answer, places, async (asked, text, at) => {
        const bytes = Buffer.from(text, "latin1");
        const theirs = await readByNode(asked, [bytes]);
        const read = ours(asked, bytes, at);
        expect(theirs).toBeDefined();
        // HTTP/1.0 has no chunks: there alone we refuse what they take.
        const mayBeRefused = /^HTTP\/1\.0[^]*transfer-encoding/m.test(text);
        expect(mayBeRefused ? (read ?? theirs) : read).toEqual(theirs);
      }),
      { numRuns: 1_500 },
    );
  });

  it("that has flaws is refused wherever llhttp refuses it, and else read the same", async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(method, answer, flaws, places, async (asked, text, changes, at) => {
        const bytes = Buffer.from(flawed(text, changes), "latin1");
        const theirs = await readByNode(asked, [bytes]);
        const read = ours(asked, bytes, at);
        if (read !== undefined) accepted += 1;
        expect(read ?? theirs).toEqual(theirs);
      }),
      { numRuns: 6_000 },
    );
    // A reader that refuses everything would pass, too.
    expect(accepted).toBeGreaterThan(500);
  });
});
