import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusalOf } from "./token-rules.ts";

describe("placeholders are refused by name", () => {
  test.each([
    "YOUR_API_KEY",
    "YOUR-GEMINI-API-KEY-HERE",
    "YourApiKeyHere",
    "your_key_1",
    "INSERT_YOUR_KEY_HERE",
    "paste-key-here",
    "changeme",
    "CHANGE_ME",
    "replace-with-your-key",
    "placeholder",
    "example-key",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "my-api-key",
    "undefined",
  ])("%s", (word) => {
    expect(refusalOf(word)).toBe(`the placeholder ${word}, not a key`);
  });

  test.each(["<your-key>", "[KEY_GOES]", "{{gemini}}", "${GEMINI_API_KEY}", "$GEMINI_KEY"])(
    "in brackets: %s",
    (word) => {
      expect(refusalOf(word)).toContain("placeholder in brackets");
    },
  );

  test.each(["xxxxxxxx", "XXXX-XXXX", "AIzaSyXXXXXXXXXXXXXXX", "********", "AIzaSy..."])(
    "filler: %s",
    (word) => {
      expect(refusalOf(word)).toContain("filler");
    },
  );

  test.each(["AIzaFakeB...", "AIzaFake***1234", "AIzaFakeB…", "AQ.FakexxxxxxxxxxxxFake"])(
    "masked: %s",
    (word) => {
      expect(refusalOf(word)).toContain("masked");
    },
  );
});

test.each([
  ["https://example.com/keys", "web address"],
  ["someone@example.com", "e-mail"],
  ["GEMINI_API_KEY=AIzaFake0001", "NAME=value"],
  ["short", "shorter"],
  ["k".repeat(513), "longer"],
  ['AIza"Fake', "character"],
  ["AIzaFäke1", "character"],
  ["AIza\u0000Fake1", "character"],
  ["back\\slash", "character"],
])("what is no key is refused: %s", (word, reason) => {
  expect(refusalOf(word)).toContain(reason);
});

test.each([
  "test-key-1",
  "key-0001",
  "AIzaFakeKey0000001",
  "AQ.Ab8Fake_Fake-Fake",
  "a1b2c3d4",
  "emulator.key:7",
  "ya29.Fake/+=",
])("no prefix is demanded of a key: %s", (word) => {
  expect(refusalOf(word)).toBeUndefined();
});

test("a random key is never refused, and a refusal never repeats a word that may be a key", () => {
  const base64url = fc.constantFrom(
    ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split(""),
  );
  const bodies = fc
    .array(base64url, { minLength: 30, maxLength: 60 })
    .map((characters) => characters.join(""));
  fc.assert(
    fc.property(bodies, fc.constantFrom("AIza", "AQ.", "", "gm_"), (body, prefix) => {
      fc.pre(!/x{8}/i.test(body));
      expect(refusalOf(prefix + body)).toBeUndefined();
      expect(refusalOf(`${prefix}${body}"${body}`)).not.toContain(body);
    }),
  );
});

test("a long word made of placeholder words is judged without delay", () => {
  const startMs = performance.now();
  expect(refusalOf("keyskey".repeat(70))).toBeUndefined();
  expect(refusalOf(`${"YOURKEY".repeat(6)}!`)).toBeDefined();
  expect(performance.now() - startMs).toBeLessThan(1_000);
});
