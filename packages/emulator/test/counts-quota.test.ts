import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import type { QuotaSpec } from "../src/project-spec.ts";
import { errorOf, HI, post, saying, UNARY } from "./client.ts";

/** 12:00:10 Pacific on a winter day; ten seconds into the minute. */
const NOON_MS = Date.parse("2026-11-23T20:00:10Z");

function withQuota(quota: QuotaSpec, clock: { nowMs: number }, model = "gemini-2.5-flash") {
  return startEmulator({
    now: () => clock.nowMs,
    projects: [
      { name: "alpha", keys: ["test-key-1", "test-key-2"], quotas: { [model]: quota } },
      { name: "beta", keys: ["test-key-3"] },
    ],
  });
}

describe("counts quota per project and model", () => {
  it("refuses the request beyond the minute for every key of the project, until the next minute", async () => {
    const clock = { nowMs: NOON_MS };
    await using emulator = await withQuota({ rpm: 2 }, clock);
    expect((await post(emulator, UNARY)).status).toBe(200);
    expect((await post(emulator, UNARY, HI, { "x-goog-api-key": "test-key-2" })).status).toBe(200);
    const refused = await post(emulator, UNARY);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBeNull();
    expect((await post(emulator, UNARY, HI, { "x-goog-api-key": "test-key-3" })).status).toBe(200);
    expect((await post(emulator, UNARY.replace("2.5-flash", "2.5-pro"))).status).toBe(200);
    clock.nowMs += 50_000;
    expect((await post(emulator, UNARY)).status).toBe(200);
  });

  it("writes the body of a refusal as recorded", async () => {
    const clock = { nowMs: NOON_MS };
    await using emulator = await withQuota({ rpd: 1 }, clock);
    await post(emulator, UNARY);
    const error = await errorOf(await post(emulator, UNARY));
    expect(error.message).toContain(
      "\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 1, model: gemini-2.5-flash\nPlease retry in 50s.",
    );
    expect(error.details).toEqual([
      {
        "@type": "type.googleapis.com/google.rpc.Help",
        links: [
          {
            description: "Learn more about Gemini API quotas",
            url: "https://ai.google.dev/gemini-api/docs/rate-limits",
          },
        ],
      },
      {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        violations: [
          {
            quotaMetric: "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            quotaDimensions: { location: "global", model: "gemini-2.5-flash" },
            quotaValue: "1",
          },
        ],
      },
      // Seconds only, although the day is what is exhausted: not to be believed.
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "50s" },
    ]);
  });

  it("gives the day back at Pacific midnight, in winter and in summer", async () => {
    for (const midnight of ["2026-11-24T08:00:00Z", "2026-07-02T07:00:00Z"]) {
      const clock = { nowMs: Date.parse(midnight) - 1000 };
      await using emulator = await withQuota({ rpd: 1 }, clock);
      expect((await post(emulator, UNARY)).status).toBe(200);
      clock.nowMs += 999;
      expect((await post(emulator, UNARY)).status).toBe(429);
      clock.nowMs += 1;
      expect((await post(emulator, UNARY)).status).toBe(200);
    }
  });

  it("counts input tokens, and refuses a request larger than the minute for ever", async () => {
    const clock = { nowMs: NOON_MS };
    await using emulator = await withQuota({ tpm: 10 }, clock);
    const long = saying("x".repeat(4 * 11));
    const error = await errorOf(await post(emulator, UNARY, long));
    expect(JSON.stringify(error.details)).toContain("GenerateContentInputTokensPerModelPerMinute-FreeTier");
    clock.nowMs += 60_000;
    expect((await post(emulator, UNARY, long)).status).toBe(429);
    expect((await post(emulator, UNARY)).status).toBe(200);
  });

  it("says `limit: 0` without a quotaValue for a model closed to the tier", async () => {
    await using emulator = await withQuota({ rpm: 0 }, { nowMs: NOON_MS });
    const error = await errorOf(await post(emulator, UNARY));
    expect(error.message).toContain("limit: 0, model: gemini-2.5-flash");
    expect(JSON.stringify(error.details)).not.toContain("quotaValue");
  });

  it("charges an alias to the model that answers", async () => {
    const clock = { nowMs: NOON_MS };
    await using emulator = await withQuota({ rpm: 1 }, clock, "gemini-3.5-flash-lite");
    const alias = UNARY.replace("gemini-2.5-flash", "gemini-flash-lite-latest");
    const served = (await (await post(emulator, alias)).json()) as { modelVersion: string };
    expect(served.modelVersion).toBe("gemini-3.5-flash-lite");
    const refused = await post(emulator, UNARY.replace("gemini-2.5-flash", "gemini-3.5-flash-lite"));
    expect(refused.status).toBe(429);
  });

  it("counts embeddings per text", async () => {
    await using emulator = await withQuota({ rpm: 3 }, { nowMs: NOON_MS }, "gemini-embedding-001");
    const path = "/v1beta/models/gemini-embedding-001:batchEmbedContents";
    const request = { model: "models/gemini-embedding-001", content: { parts: [{ text: "a" }] } };
    expect((await post(emulator, path, { requests: [request, request] })).status).toBe(200);
    const error = await errorOf(await post(emulator, path, { requests: [request, request] }));
    expect(JSON.stringify(error.details)).toContain(
      "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier",
    );
  });
});
