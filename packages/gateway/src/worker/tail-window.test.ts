import fc from "fast-check";
import { expect, it } from "vitest";
import { TAIL_BYTES_MAX, TailWindow } from "./tail-window.ts";

const event = fc
  .tuple(fc.string({ maxLength: 3_000 }), fc.constantFrom("\n\n", "\r\n\r\n", "\n,\r\n"))
  .map(([text, end]) => `data: ${text.replaceAll(/[\r\n,]/g, "")}${end}`);

function windowOver(text: string, size: number): Buffer {
  const tail = new TailWindow();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) tail.push(bytes.subarray(at, at + size));
  return tail.bytes();
}

it("keeps the last four events whole, whatever pieces they come in, and nothing but the end", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 5_000 }), (events, size) => {
      const text = events.join("");
      const kept = windowOver(text, size).toString();
      expect(text.endsWith(kept)).toBe(true);
      expect(kept.endsWith(events.slice(-4).join(""))).toBe(true);
    }),
  );
});

it("keeps the last bytes of events that are longer, and bounded memory for them", () => {
  for (const size of [1, 1_000, 65_536]) {
    const kept = windowOver("x".repeat(200_000), size);
    expect(kept.length).toBeGreaterThanOrEqual(TAIL_BYTES_MAX);
    expect(kept.buffer.byteLength).toBeLessThanOrEqual(2 * TAIL_BYTES_MAX);
  }
});

it("takes two kilobytes for ordinary events, however many", () => {
  const kept = windowOver(`data: ${"x".repeat(240)}\r\n\r\n`.repeat(1_000), 250);
  expect(kept.buffer.byteLength).toBeLessThanOrEqual(2_048);
});

it("keeps nothing of the pieces alive", () => {
  const piece = Buffer.from("data: 1\n\n");
  const tail = new TailWindow();
  tail.push(piece);
  piece.fill(0);
  expect(tail.bytes().toString()).toBe("data: 1\n\n");
});
