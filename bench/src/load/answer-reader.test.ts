import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerReader } from "./answer-reader.ts";

const EVENTS = ["one", "two", "three"].map((text) => `data: {"text": "${text}"}\r\n\r\n`);
const STREAM = [
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n",
  ...EVENTS.map((event) => `${event.length.toString(16)}\r\n${event}\r\n`),
  "0\r\n\r\n",
].join("");
const WHOLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 13\r\n\r\n{"error": {}}';

describe("the reader of answers", () => {
  it("counts the events of a stream and sees its end, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 20 }), (cuts) => {
        const reader = new AnswerReader();
        for (const piece of cutAt(STREAM, cuts)) {
          expect(reader.state).not.toBe("complete");
          reader.take(piece);
        }
        expect(reader).toMatchObject({ state: "complete", status: 200, events: EVENTS.length });
      }),
    );
  });

  it("sees the end of a body of known length, however the bytes are cut, and starts anew", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WHOLE.length), { maxLength: 10 }), (cuts) => {
        const reader = new AnswerReader();
        for (let answer = 0; answer < 2; answer += 1) {
          for (const piece of cutAt(WHOLE, cuts)) reader.take(piece);
          expect(reader).toMatchObject({ state: "complete", status: 503 });
          reader.reset();
        }
      }),
    );
  });

  it("does not take a stream that breaks off for a complete one", () => {
    const reader = new AnswerReader();
    reader.take(STREAM.slice(0, -5));
    expect(reader).toMatchObject({ state: "body", events: EVENTS.length });
  });

  it("refuses what is no answer", () => {
    const reader = new AnswerReader();
    reader.take("SMTP ready\r\n\r\n");
    expect(reader.state).toBe("broken");
  });
});

function cutAt(text: string, cuts: readonly number[]): string[] {
  const ends = [...new Set([...cuts, text.length])].toSorted((left, right) => left - right);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)).filter((piece) => piece !== "");
}
