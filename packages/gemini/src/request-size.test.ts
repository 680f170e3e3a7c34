import { describe, expect, it } from "vitest";
import { requestTokensFloor } from "./request-size.ts";

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
