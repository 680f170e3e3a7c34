import fc from "fast-check";
import { expect, it } from "vitest";
import { readUsage } from "./usage.ts";

it.each([
  [
    "native",
    '{"usageMetadata": {"promptTokenCount": 10,"candidatesTokenCount": 5,"totalTokenCount": 22,"thoughtsTokenCount": 7,"promptTokensDetails":[{"tokenCount":10}]}}',
    [10, 12, 22],
  ],
  [
    "native without output",
    '{"usageMetadata":{"promptTokenCount":3130,"totalTokenCount":3130}}',
    [3130, 0, 3130],
  ],
  ["native with tools", '{"usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":4}}', [14, 0, 14]],
  ["compatible", '{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}', [1, 2, 3]],
  [
    "Interactions",
    '{"usage":{"total_input_tokens":1,"total_output_tokens":2,"total_thought_tokens":4,"total_tokens":7}}',
    [1, 6, 7],
  ],
  [
    "compatible, null at the end",
    '{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n{"usage":null}',
    [1, 2, 3],
  ],
  [
    "the last of several",
    '{"usageMetadata":{"totalTokenCount":1}}{"usageMetadata":{"totalTokenCount":9}}',
    [0, 0, 9],
  ],
  ["the last that is whole", '{"usageMetadata":{"totalTokenCount":1}}{"usageMetadata":{"totalTok', [0, 0, 1]],
])("%s", (_, text, [promptTokens, outputTokens, totalTokens]) => {
  const expected = { promptTokens, outputTokens, totalTokens };
  expect(readUsage(text)).toEqual(expected);
  expect(readUsage(Buffer.from(text))).toEqual(expected);
});

it("finds none where there is none", () => {
  for (const text of ["", "{}", '"usage"', '{"usage":{}}', '{"usageMetadata":7}', '{"totalTokens":31}']) {
    expect(readUsage(text)).toBeUndefined();
  }
});

it("is not fooled by what the model writes", () => {
  const written = JSON.stringify({ text: '"usageMetadata":{"totalTokenCount":999}' });
  expect(readUsage(`{"usageMetadata":{"totalTokenCount":1},"a":${written}}`)?.totalTokens).toBe(1);
});

it("finds the end of the object whatever its strings hold", () => {
  const tricky = fc.string({ unit: fc.constantFrom("{", "}", "[", '"', "\\", ",", ":", "a", " ") });
  const details = fc.dictionary(tricky, fc.oneof(tricky, fc.dictionary(tricky, tricky), fc.array(tricky)));
  fc.assert(
    fc.property(details, fc.nat(), tricky, (detail, totalTokenCount, after) => {
      const answer = { usageMetadata: { ...detail, totalTokenCount }, after };
      expect(readUsage(JSON.stringify(answer))?.totalTokens).toBe(totalTokenCount);
      expect(readUsage(JSON.stringify(answer, undefined, 2))?.totalTokens).toBe(totalTokenCount);
    }),
  );
});

it("reads no object that is cut off, nor one behind something else than a colon", () => {
  for (const text of [
    '{"usage" {"total_tokens":1}}',
    '{"usage":{"total_tokens":1',
    '{"usage":[{"total_tokens":1}]}',
  ]) {
    expect(readUsage(text)).toBeUndefined();
  }
});
