import fc from "fast-check";
import { expect, it } from "vitest";
import { ChunkList } from "./chunk-list.ts";

const pieces = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.nat(9000).map((length) => new Uint8Array(length).fill(length)),
  ),
);

it("gives back what was pushed, in order, however it is asked", () => {
  fc.assert(
    fc.property(pieces, fc.boolean(), (pushed, asksBetween) => {
      const list = new ChunkList();
      for (const piece of pushed) {
        list.push(Buffer.from(piece));
        if (asksBetween) list.all();
      }
      const expected = Buffer.concat(pushed);
      expect(Buffer.concat([...list.all()]).equals(expected)).toBe(true);
      expect(list.joined().equals(expected)).toBe(true);
      expect(list.all().length).toBeLessThanOrEqual(1);
    }),
  );
});

it("keeps a hundred thousand single bytes in a hundred pieces", () => {
  const list = new ChunkList();
  for (let index = 0; index < 102_400; index += 1) list.push(Buffer.from([index & 0xff]));
  expect(list.all()).toHaveLength(100);
});

it("does not copy what came in one piece", () => {
  const list = new ChunkList();
  const piece = Buffer.from("small");
  list.push(piece);
  expect(list.joined()).toBe(piece);
});
