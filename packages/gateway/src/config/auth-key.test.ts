import { expect, test } from "vitest";
import { ENTRIES } from "./entries.ts";
import { parseValue } from "./parse-value.ts";

function parse(raw: unknown): unknown {
  return parseValue(ENTRIES.find(({ path }) => path === "authKey")!.option, raw);
}

test("a secret may have a name, and gets one by its place when it has none", () => {
  expect(parse("alice=s3cret, plain")).toEqual([
    { name: "alice", secret: "s3cret" },
    { name: "auth-key-2", secret: "plain" },
  ]);
});

test("several flags and a list in the file mean the same as commas", () => {
  expect(parse(["a=1", "b=2"])).toEqual(parse("a=1,b=2"));
});

test.each(["c2VjcmV0==", "c2VjcmV0=", "=abc", "1a=b"])(
  "%s has no name: it is a secret as it stands",
  (secret) => {
    expect(parse(secret)).toEqual([{ name: "auth-key-1", secret }]);
  },
);

test.each([
  ["two callers with one name", "a=1,a=2"],
  ["two callers with one secret", "a=1,b=1"],
  ["a name that the place of another gives", "auth-key-2=1,2"],
  ["a secret with a space", "a b"],
  ["a secret that no header can carry", "sécret"],
  ["a secret without end", "x".repeat(513)],
  ["nothing", " , "],
])("%s is refused", (_what, raw) => {
  expect(parse(raw)).toBeUndefined();
});
