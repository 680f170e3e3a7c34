import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closePayload, CLOSE_REASON_BYTES_MAX, closeOf, frameBytes, OPCODE } from "./frame.ts";
import { MessageReader, ProtocolError } from "./message-reader.ts";
import type { Incoming } from "./message-reader.ts";

/** A frame as a client writes it: masked, with any first byte. */
function clientFrame(first: number, payload: Buffer, mask = Buffer.from([1, 2, 3, 4])): Buffer {
  const head = frameBytes(0, payload).subarray(0, frameBytes(0, payload).length - payload.length);
  head[0] = first;
  head[1] = (head[1] ?? 0) | 0x80;
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}

function readAll(bytes: Buffer, pieceBytes: number): readonly Incoming[] {
  const reader = new MessageReader();
  const incoming: Incoming[] = [];
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    incoming.push(...reader.read(bytes.subarray(from, from + pieceBytes)));
  }
  return incoming;
}

const FINAL = 0x80;

describe("reads messages", () => {
  it("whatever the fragments, the pieces and the pings between them", () => {
    const fragments = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(fragments, { maxLength: 4 }),
        fc.integer({ min: 1, max: 700 }),
        (messages, pieceBytes) => {
          const frames = messages.flatMap((parts) =>
            parts.flatMap((part, index) => {
              const opcode = index === 0 ? OPCODE.binary : OPCODE.continuation;
              const isLast = index === parts.length - 1;
              const frame = clientFrame((isLast ? FINAL : 0) | opcode, Buffer.from(part));
              return [frame, clientFrame(FINAL | OPCODE.ping, Buffer.from("p"))];
            }),
          );
          const read = readAll(Buffer.concat(frames), pieceBytes);
          const payloads = read.flatMap((one) => (one.kind === "message" ? [one.payload] : []));
          expect(payloads).toEqual(messages.map((parts) => Buffer.concat(parts)));
          expect(read.filter(({ kind }) => kind === "ping")).toHaveLength(messages.flat().length);
        },
      ),
    );
  });

  it("of every length form", () => {
    for (const bytes of [0, 125, 126, 65_535, 65_536, 200_000]) {
      const [message] = readAll(clientFrame(FINAL | OPCODE.text, Buffer.alloc(bytes, "x")), 50_000);
      expect(message).toMatchObject({ kind: "message", isBinary: false });
      expect(message?.kind === "message" && message.payload.length).toBe(bytes);
    }
  });

  it.each([
    ["a frame without a mask", frameBytes(OPCODE.text, Buffer.from("x")), 1002],
    ["a reserved bit", clientFrame(0xc1, Buffer.from("x")), 1002],
    ["an unknown opcode", clientFrame(0x83, Buffer.from("x")), 1002],
    ["a continuation of nothing", clientFrame(FINAL, Buffer.from("x")), 1002],
    [
      "a new message inside another",
      Buffer.concat([clientFrame(1, Buffer.from("x")), clientFrame(0x81, Buffer.from("y"))]),
      1002,
    ],
    ["a long ping", clientFrame(0x89, Buffer.alloc(126)), 1002],
    ["text that is not UTF-8", clientFrame(0x81, Buffer.from([0xff])), 1007],
    ["a close code that is none", clientFrame(0x88, Buffer.from([0x03, 0xed])), 1002],
  ])("refuses %s", (_what, bytes, code) => {
    let broken: unknown;
    try {
      readAll(bytes, 3);
    } catch (error) {
      broken = error;
    }
    expect(broken).toBeInstanceOf(ProtocolError);
    expect(broken).toMatchObject({ code });
  });

  it("refuses a message beyond the bound before its bytes come", () => {
    const head = Buffer.from([FINAL | OPCODE.binary, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]);
    expect(() => readAll(head, 10)).toThrow("message too big");
  });
});

describe("writes close frames", () => {
  it("whose reason is cut between characters to fit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (reason) => {
        const payload = closePayload(1011, reason);
        expect(payload.length).toBeLessThanOrEqual(CLOSE_REASON_BYTES_MAX + 2);
        const close = closeOf(payload);
        expect(close?.code).toBe(1011);
        expect(reason.startsWith(close?.reason ?? "?")).toBe(true);
      }),
    );
    expect(closeOf(closePayload(1008, "é".repeat(100)))?.reason).toBe("é".repeat(61));
  });
});
