import { describe, expect, test } from "vitest";
import {
  COUNTED_LIMIT_MS,
  learnFromRefusal,
  learnFromSuccess,
  limitsInForce,
  NOTHING_LEARNED,
  STATED_LIMIT_MS,
} from "./learned-limits.ts";
import type { CountedUse } from "./learned-limits.ts";

const NOW = 1_700_000_000_000;
const USED: CountedUse = {
  requestsOfMinute: 10,
  tokensOfMinute: 200_000,
  requestsOfDay: 50,
  isMinuteWhole: true,
};

/** The limits in force so long after one refusal. */
function limitsAfter(fact: { limit?: number }, used: Partial<CountedUse> = {}, laterMs = 0) {
  const learned = learnFromRefusal(
    NOTHING_LEARNED,
    [{ quota: "requestsPerMinute", ...fact }],
    { ...USED, ...used },
    NOW,
  );
  return limitsInForce(learned, {}, NOW + laterMs);
}

describe("a refusal", () => {
  test("that names its limit is believed for a week", () => {
    expect(limitsAfter({ limit: 10 }, {}, STATED_LIMIT_MS - 1)).toEqual({ requestsPerMinute: 10 });
    expect(limitsAfter({ limit: 10 }, {}, STATED_LIMIT_MS)).toEqual({});
  });

  test("that names none teaches what was used until then, for an hour", () => {
    expect(limitsAfter({}, {}, COUNTED_LIMIT_MS - 1)).toEqual({ requestsPerMinute: 10 });
    expect(limitsAfter({}, {}, COUNTED_LIMIT_MS)).toEqual({});
    expect(limitsAfter({}, { requestsOfMinute: 0 })).toEqual({});
  });

  test("that comes long before the limit it names shows that others use the quota too", () => {
    expect(limitsAfter({ limit: 100 })).toEqual({ requestsPerMinute: 10 });
    expect(limitsAfter({ limit: 100 }, {}, COUNTED_LIMIT_MS)).toEqual({});
  });

  test("proves no such thing while the count is younger than a minute", () => {
    expect(limitsAfter({ limit: 100 }, { isMinuteWhole: false })).toEqual({ requestsPerMinute: 100 });
  });

  test("of a token quota is believed whatever was counted: the request itself may have been large", () => {
    const learned = learnFromRefusal(
      NOTHING_LEARNED,
      [{ quota: "tokensPerMinute", limit: 1_000_000 }],
      USED,
      NOW,
    );
    expect(limitsInForce(learned, {}, NOW)).toEqual({ tokensPerMinute: 1_000_000 });
  });
});

describe("a success", () => {
  const stated = learnFromRefusal(
    NOTHING_LEARNED,
    [
      { quota: "requestsPerMinute", limit: 10 },
      { quota: "requestsPerDay", limit: 50 },
    ],
    USED,
    NOW,
  );

  test("changes nothing while an upstream that counts clock minutes could have served it", () => {
    expect(learnFromSuccess(stated, { requestsOfMinute: 20, requestsOfDay: 50 })).toBe(stated);
  });

  test("beyond that proves the belief wrong", () => {
    const next = learnFromSuccess(stated, { requestsOfMinute: 21, requestsOfDay: 51 });
    expect(limitsInForce(next, {}, NOW)).toEqual({});
  });

  test("above a limit that was only counted raises it", () => {
    const counted = learnFromRefusal(NOTHING_LEARNED, [{ quota: "requestsPerMinute" }], USED, NOW);
    const next = learnFromSuccess(counted, { requestsOfMinute: 12, requestsOfDay: 12 });
    expect(limitsInForce(next, {}, NOW)).toEqual({ requestsPerMinute: 12 });
  });
});

test("what the operator configured goes before what was learnt, quota by quota", () => {
  const learned = learnFromRefusal(
    NOTHING_LEARNED,
    [
      { quota: "requestsPerMinute", limit: 10 },
      { quota: "requestsPerDay", limit: 50 },
    ],
    USED,
    NOW,
  );
  expect(limitsInForce(learned, { requestsPerMinute: 7 }, NOW)).toEqual({
    requestsPerMinute: 7,
    requestsPerDay: 50,
  });
});
