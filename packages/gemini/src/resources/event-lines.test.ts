import * as fc from "fast-check";
import { expect, it } from "vitest";
import { EVENT_BYTES_MAX, EventLines } from "./event-lines.ts";

const STREAM =
  'event: a\ndata: {"one":1}\n\nevent: b\r\ndata:{"two":"ü"}\r\n\r\n: nothing\n\ndata: [DONE]\n\n';
const DATA = [' {"one":1}', '{"two":"ü"}\r', " [DONE]"];

it("tells the data of each event, however the stream is cut", () => {
  const bytes = Buffer.from(STREAM);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const lines = new EventLines();
      const places = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
      const told = places.slice(1).flatMap((end, index) => lines.push(bytes.subarray(places[index], end)));
      expect(told).toEqual(DATA);
    }),
  );
});

it("passes over a line that is too long, in one piece or in many, and goes on behind it", () => {
  const long = `data: ${"x".repeat(EVENT_BYTES_MAX)}`;
  expect(new EventLines().push(Buffer.from(`${long}\ndata: a\n`))).toEqual([" a"]);
  const lines = new EventLines();
  const told = [long, long, "\ndata: a", "\n", "data: b\n"].flatMap((piece) =>
    lines.push(Buffer.from(piece)),
  );
  expect(told).toEqual([" a", " b"]);
});
