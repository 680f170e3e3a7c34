import fc from "fast-check";
import { expect, it } from "vitest";
import { maskedBody, maskedHeaders, SecretMask } from "./secret-mask.ts";

const SECRET = "AAzAAb";

/** Few letters, so that the key and its beginnings turn up often. */
const text = fc
  .array(fc.constantFrom("A", "z", "b", "x", SECRET), { maxLength: 40 })
  .map((each) => each.join(""));

function through(chunks: readonly string[]): { readonly sent: string; readonly heldMax: number } {
  const mask = new SecretMask(SECRET);
  let sent = "";
  let taken = 0;
  let heldMax = 0;
  for (const chunk of chunks) {
    sent += mask.push(Buffer.from(chunk)).toString();
    taken += chunk.length;
    heldMax = Math.max(heldMax, taken - sent.length);
  }
  return { sent: sent + (mask.end()?.toString() ?? ""), heldMax };
}

it("masks every occurrence, changes nothing else and holds back less than a key, for any chunks", () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), (chunks) => {
      const whole = chunks.join("");
      const { sent, heldMax } = through(chunks);
      expect(sent).toBe(whole.replaceAll(SECRET, "*".repeat(SECRET.length)));
      expect(heldMax).toBeLessThan(SECRET.length);
    }),
  );
});

it("hands on the very same buffer when there is nothing to hide", () => {
  const chunk = Buffer.from("data: {}\r\n\r\n");
  expect(new SecretMask("test-key-1").push(chunk)).toBe(chunk);
});

it("masks headers, and leaves alone those without the key", () => {
  const clean = ["content-type", "text/html", "x", "\xe9"];
  expect(maskedHeaders(clean, SECRET)).toBe(clean);
  expect(maskedHeaders(clean, "")).toBe(clean);
  const held = ["location", `/?key=${SECRET}&\xe9${SECRET}`, "x", SECRET, ...clean];
  expect(maskedHeaders(held, SECRET)).toEqual([
    "location",
    "/?key=******&\xe9******",
    "x",
    "******",
    ...clean,
  ]);
});

it("masks a whole body, and leaves alone one without the key", () => {
  const clean = Buffer.from("{}");
  expect(maskedBody(clean, SECRET)).toBe(clean);
  expect(maskedBody(Buffer.from(`\u00e9 ${SECRET}${SECRET}.`), SECRET).toString()).toBe(
    "\u00e9 ************.",
  );
});
