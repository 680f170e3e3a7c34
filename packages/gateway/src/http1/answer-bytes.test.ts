import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerBuffer, AnswerHeads } from "./answer-bytes.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function heads(nowMs = NOW_MS): AnswerHeads {
  return new AnswerHeads({ idleSeconds: 75, wallClock: () => nowMs });
}

describe("a head", () => {
  it("is written in the order in which node writes it", () => {
    expect(heads().write(200, ["Content-Length", "2", "x-a", "b"], true, false)).toEqual({
      text:
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-a: b\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n" +
        "Connection: keep-alive\r\nKeep-Alive: timeout=75\r\n\r\n",
      isChunked: false,
    });
  });

  it("names chunks where there is a body without a length, and only there", () => {
    expect(heads().write(200, [], true, true)).toMatchObject({
      text: expect.stringMatching(/Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n$/),
      isChunked: true,
    });
    expect(heads().write(204, [], false, true).text).not.toContain("Transfer-Encoding");
  });

  it("keeps the upstream's date", () => {
    const { text } = heads().write(200, ["date", "Thu, 01 Jan 2026 00:00:00 GMT"], false, false);
    expect(text.match(/date:/gi)).toHaveLength(1);
  });

  it("tells each second anew", () => {
    let nowMs = NOW_MS;
    const clock = new AnswerHeads({ idleSeconds: 1, wallClock: () => nowMs });
    expect(clock.write(200, [], false, false).text).toContain("03:04:05 GMT");
    nowMs += 1000;
    expect(clock.write(200, [], false, false).text).toContain("03:04:06 GMT");
  });

  it("tells what each answer says, whatever the one before said at the same place", () => {
    const writer = heads();
    writer.write(200, ["content-length", "2", "x-a", "b", "date", "D"], true, false);
    const second = writer.write(200, ["x-a", "c", "content-length", "3"], true, false);
    expect(second.text).toMatch(/^HTTP\/1\.1 200 OK\r\nx-a: c\r\ncontent-length: 3\r\nDate: Fri/);
    expect(second.isChunked).toBe(false);
    expect(writer.write(200, ["x-a", "c", "x-b", "3"], true, false).isChunked).toBe(true);
    expect(() => writer.write(200, ["x-a", "c\n"], true, false)).toThrow(TypeError);
    expect(writer.write(200, ["x-a", "c"], true, false).text).toContain("x-a: c\r\n");
  });

  it.each(["a\r\nb: c", "a\nb", "a\rb", "a\0", "\u0100"])(
    "holds no line end or what no octet is: %j",
    (value) => {
      expect(() => heads().write(200, ["x", value], false, false)).toThrow(TypeError);
    },
  );
});

describe("bytes of an answer", () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: "grapheme", maxLength: 50 }),
    fc.integer({ min: 16_000, max: 17_000 }).map((length) => Buffer.alloc(length, "x")),
  );

  it("hold head and body one after the other, as chunks where asked for", () => {
    fc.assert(
      fc.property(body, fc.boolean(), fc.boolean(), fc.boolean(), (content, isChunk, isEnd, isOwn) => {
        const head = "HTTP/1.1 200 OK\r\nx-a: \xe9\r\n\r\n";
        const bytes = Buffer.from(content as Buffer);
        const chunk =
          bytes.length === 0 ? "" : `${bytes.length.toString(16)}\r\n${bytes.toString("latin1")}\r\n`;
        const framed = isChunk ? chunk + (isEnd ? "0\r\n\r\n" : "") : bytes.toString("latin1");
        const joined = new AnswerBuffer().join(head, content, isChunk, isEnd, isOwn);
        expect(joined.toString("latin1")).toBe(head + framed);
      }),
    );
  });

  it.each([1, 10_000, 100_000])(
    "lie in the same memory as the next ones, unless they are still needed: %i times",
    (times) => {
      const isShared = times < 100_000;
      const [first, other, third] = ["first", "other", "third"].map((word) => word.repeat(times)) as [
        string,
        string,
        string,
      ];
      const buffer = new AnswerBuffer();
      const before = buffer.join("", first, false, false, false);
      const needed = buffer.join("", other, false, false, false);
      expect(before.toString() === other).toBe(isShared);
      buffer.keep(needed);
      buffer.join("", third, false, false, false);
      expect(needed.toString() === other).toBe(true);
      const own = buffer.join("", first, false, false, true);
      buffer.join("", third, false, false, false);
      expect(own.toString() === first).toBe(true);
    },
  );
});
