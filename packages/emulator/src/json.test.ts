import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventJson } from "./json.ts";

describe("eventJson", () => {
  it("puts a space after colons and none after commas", () => {
    expect(eventJson({ a: [1, { b: "x, y: z" }], c: null, d: undefined })).toBe(
      '{"a": [1,{"b": "x, y: z"}],"c": null}',
    );
  });

  it("is JSON of the same value, on one line", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = eventJson(value);
        expect(text).not.toMatch(/[\r\n]/);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
