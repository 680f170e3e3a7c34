import { expect, it } from "vitest";
import { plainProbeRequest, probeRequest } from "./probe-request.ts";

function bodyOf(body: string | undefined): unknown {
  return body === undefined ? undefined : JSON.parse(body);
}

it("asks for one model of the list, the tokens of one word, or one token of an answer", () => {
  expect(probeRequest("list", "")).toMatchObject({
    method: "GET",
    path: "/v1beta/models?pageSize=1",
    body: undefined,
  });
  const count = probeRequest("count", "gemini-3.8-flash");
  expect(count).toMatchObject({
    method: "POST",
    path: "/v1beta/models/gemini-3.8-flash:countTokens",
    isPicky: false,
  });
  const generate = probeRequest("generate", "gemini-2.5-pro");
  expect(generate.path).toBe("/v1beta/models/gemini-2.5-pro:generateContent");
  expect(bodyOf(generate.body)).toMatchObject({ generationConfig: { maxOutputTokens: 1 } });
});

it.each([
  ["gemini-2.5-flash", { thinkingBudget: 0 }],
  ["gemini-2.5-flash-lite", { thinkingBudget: 0 }],
  ["gemini-3.8-flash", { thinkingLevel: "minimal" }],
  ["gemini-3.5-flash-lite", { thinkingLevel: "minimal" }],
  ["gemini-2.5-pro", undefined],
  ["gemini-4-argon", undefined],
  ["gemma-4-31b-it", undefined],
])("thinking is off for %s where the family allows it, and can be left out", (model, thinkingConfig) => {
  const { body, isPicky } = probeRequest("generate", model);
  const { generationConfig } = bodyOf(body) as { generationConfig: { thinkingConfig?: unknown } };
  expect(generationConfig.thinkingConfig).toEqual(thinkingConfig);
  expect(isPicky).toBe(thinkingConfig !== undefined);
  expect(plainProbeRequest("generate", model).body).not.toContain("thinking");
});

it("embeds with a model of embeddings", () => {
  const { path, body } = probeRequest("generate", "gemini-embedding-001");
  expect(path).toBe("/v1beta/models/gemini-embedding-001:embedContent");
  expect(bodyOf(body)).toMatchObject({ content: { parts: [{ text: "hi" }] } });
});
