import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerTo } from "./answer.ts";
import { modelCatalogue } from "./models.ts";
import { wholeChunk } from "./native-answer.ts";
import { nativePrompt } from "./prompt.ts";

const model = modelCatalogue([]).get("gemini-2.5-flash");

function answerFor(text: string) {
  if (model === undefined) throw new Error("the catalogue lacks the model of this test");
  const prompt = nativePrompt({ contents: [{ parts: [{ text }] }] });
  return answerTo({ prompt, projectName: "alpha", model, responseId: "r", fault: undefined });
}

describe("an answer", () => {
  it("has as many chunks as asked, no two alike when filled up, the whole being their sum", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 200 }),
        fc.string(),
        (events, bytes, end) => {
          const answer = answerFor(`stream ${events} events every 0 ms of ${bytes} bytes ${end}`);
          const texts = Array.from(
            { length: answer.chunkCount },
            (_, index) => answer.chunk(index).parts?.[0]?.text ?? "",
          );
          expect(texts).toHaveLength(events);
          expect(wholeChunk(answer)).toEqual({ parts: [{ text: texts.join("") }], finishReason: "STOP" });
          for (const text of texts.slice(1))
            expect(text.length).toBeGreaterThanOrEqual(bytes === 0 ? 1 : bytes);
        },
      ),
    );
  });

  it("finishes in the last chunk only, usage growing on the way", () => {
    const answer = answerFor("stream 9 events of 40 bytes");
    const reasons = Array.from({ length: 9 }, (_, index) => answer.chunk(index).finishReason);
    expect(reasons.filter((reason) => reason !== undefined)).toEqual(["STOP"]);
    expect(reasons.at(-1)).toBe("STOP");
    const used = Array.from({ length: 9 }, (_, index) => answer.usageAt(index).outputTokens);
    expect(used).toEqual(used.toSorted((a, b) => a - b));
    expect(new Set(used).size).toBe(9);
  });
});
