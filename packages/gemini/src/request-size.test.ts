import { describe, expect, it } from "vitest";
import { requestTokensFloor, textBytes } from "./request-size.ts";

describe("requestTokensFloor", () => {
  it("stays below what a tokenizer counts for plain text", () => {
    // 800 bytes of English are about 200 tokens.
    expect(requestTokensFloor(Buffer.alloc(800, "word "))).toBe(100);
  });

  it("claims nothing for a request with inline data", () => {
    const body = Buffer.from(JSON.stringify({ parts: [{ inlineData: { data: "A".repeat(100_000) } }] }));
    expect(requestTokensFloor(body)).toBe(0);
  });
});

describe("textBytes", () => {
  it("tells the size of a request of text by its bytes", () => {
    expect(textBytes(Buffer.from(JSON.stringify({ contents: [{ parts: [{ text: "hi" }] }] })))).toBe(40);
  });

  it.each(["inlineData", "file_data", "cachedContent"])(
    "tells nothing by the bytes of a request with %s",
    (name) => {
      expect(textBytes(Buffer.from(JSON.stringify({ [name]: "x" })))).toBeUndefined();
    },
  );
});
