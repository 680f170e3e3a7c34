import { expect, it } from "vitest";
import { QUOTA_ITEM, quotasOf } from "./quotas.ts";

it("reads requests a minute, tokens a minute and requests a day, each of which may be left open", () => {
  expect(
    quotasOf(["gemini-2.5-flash=10/250000/250", "*=-/-/20", "gemini-2.5-flash:countTokens=3000/-/-"]),
  ).toEqual(
    new Map([
      ["gemini-2.5-flash", { requestsPerMinute: 10, tokensPerMinute: 250_000, requestsPerDay: 250 }],
      ["*", { requestsPerDay: 20 }],
      ["gemini-2.5-flash:countTokens", { requestsPerMinute: 3_000 }],
    ]),
  );
});

it("takes the last of two items for one model", () => {
  expect(quotasOf(["m=1/-/-", "m=-/-/2"])).toEqual(new Map([["m", { requestsPerDay: 2 }]]));
});

it.each([
  "m",
  "m=",
  "m=1",
  "m=1/2",
  "m=1/2/3/4",
  "=1/2/3",
  "m=0/-/-",
  "m=1.5/-/-",
  "m=-1/-/-",
  "a b=1/2/3",
  "m=//",
])("%s is no quota", (item) => {
  expect(QUOTA_ITEM.test(item)).toBe(false);
});

it.each(["*=1/2/3", "m=-/-/-", "gemini-2.5-flash=10/250000/250"])("%s is one", (item) => {
  expect(QUOTA_ITEM.test(item)).toBe(true);
});
