import { expect, it } from "vitest";
import { errorAnswerAbout, errorAnswerOf } from "./error-codes.ts";

it("names the resources that an error is about, some of many, and shortens what is long", () => {
  const { text } = errorAnswerOf("owner-resting");
  expect(errorAnswerAbout("owner-resting", [])).toEqual(errorAnswerOf("owner-resting"));
  expect(errorAnswerAbout("owner-resting", ["files/a"]).text).toBe(`${text} Named: files/a.`);
  const many = Array.from({ length: 7 }, (_, index) => `files/${index}`);
  expect(errorAnswerAbout("owners-differ", many).text).toMatch(/files\/3 and 3 more\.$/);
  expect(errorAnswerAbout("owner-gone", [`files/${"x".repeat(1_000)}`]).text.length).toBeLessThan(260);
});
