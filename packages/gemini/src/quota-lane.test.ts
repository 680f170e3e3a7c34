import { describe, expect, it } from "vitest";
import { quotaLane } from "./quota-lane.ts";

describe("quotaLane", () => {
  it("counts generation by model, streamed or not", () => {
    expect(quotaLane({ operation: "generateContent" }, "gemini-x")).toBe("gemini-x");
    expect(quotaLane({ operation: "streamGenerateContent" }, "gemini-x")).toBe("gemini-x");
  });

  it("keeps token counting and batches apart from generation", () => {
    expect(quotaLane({ operation: "countTokens" }, "gemini-x")).toBe("gemini-x:countTokens");
    expect(quotaLane({ operation: "batchGenerateContent" }, "gemini-x")).toBe(
      "gemini-x:batchGenerateContent",
    );
  });

  it("keeps Live apart, which is limited by sessions at one time", () => {
    expect(quotaLane({ operation: "bidiGenerateContent" }, "gemini-live")).toBe(
      "gemini-live:bidiGenerateContent",
    );
  });

  it("has one lane for what belongs to no model", () => {
    expect(quotaLane({ operation: "models.list" }, "")).toBe("*");
  });
});
