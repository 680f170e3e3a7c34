import type { QuotaFact } from "@gemini-gateway/core/quota/quota-limits";
import { expect, it } from "vitest";
import { classifyAnswer } from "./classify.ts";

/** The quotas told by a refusal with these violations. */
function quotasOf(violations: readonly object[]): readonly QuotaFact[] | undefined {
  const details = [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations }];
  const body = JSON.stringify({ error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "", details } });
  const outcome = classifyAnswer(
    { status: 429, contentType: "application/json", body },
    {
      route: { resource: undefined, generates: true },
      nowMs: 0,
      requestTokensFloor: 0,
      tokenQuotaRefusals: 0,
    },
  );
  return "evidence" in outcome ? outcome.evidence.quotas : undefined;
}

it("tells each quota that was used up, with its size, whatever decides the outcome", () => {
  expect(
    quotasOf([
      { quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier", quotaValue: "20" },
      { quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", quotaValue: "10" },
      { quotaId: "GenerateContentInputTokensPerModelPerMinute-FreeTier", quotaValue: "250000" },
    ]),
  ).toEqual([
    { quota: "requestsPerDay", limit: 20 },
    { quota: "requestsPerMinute", limit: 10 },
    { quota: "tokensPerMinute", limit: 250_000 },
  ]);
});

it("takes the smaller of two figures for one quota, and a figure before none", () => {
  const quotaId = "GenerateRequestsPerMinutePerProjectPerModel";
  const violations = [{ quotaId }, { quotaId, quotaValue: "300" }, { quotaId, quotaValue: "150" }];
  expect(quotasOf(violations)).toEqual([{ quota: "requestsPerMinute", limit: 150 }]);
});

it("tells a quota without its size when the answer leaves it out", () => {
  const told = quotasOf([{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }]);
  expect(told).toEqual([{ quota: "requestsPerMinute" }]);
});

it("tells nothing of quotas nobody can pace by: tokens of a day, requests of a second, none at all", () => {
  expect(
    quotasOf([{ quotaId: "GenerateContentInputTokensPerModelPerDay-FreeTier", quotaValue: "1000000" }]),
  ).toBeUndefined();
  expect(quotasOf([{ quotaId: "GenerateRequestsPerSecondPerProject", quotaValue: "5" }])).toBeUndefined();
  expect(quotasOf([{ quotaId: "SomethingElse", quotaValue: "5" }])).toBeUndefined();
});
