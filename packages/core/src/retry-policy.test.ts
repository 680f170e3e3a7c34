import { describe, expect, it } from "vitest";
import type { DenialReason } from "./lease.ts";
import type { Evidence, Outcome, OutcomeKind } from "./outcome.ts";
import { curable, drawsOnRatio, extendTrail, FRESH_TRAIL, lastWord, type LastWord } from "./retry-policy.ts";

const evidence: Evidence = { httpStatus: 503, reason: "r", message: "m" };

const OUTCOMES: Readonly<Record<OutcomeKind, Outcome>> = {
  served: { kind: "served" },
  "caller-fault": { kind: "caller-fault", evidence },
  "caller-left": { kind: "caller-left" },
  "key-dead": { kind: "key-dead", reason: "invalid", evidence },
  "key-misconfigured": { kind: "key-misconfigured", reason: "ip-blocked", evidence },
  billing: { kind: "billing", evidence },
  "quota-minute": { kind: "quota-minute", retryAfterMs: 1, evidence },
  "quota-day": { kind: "quota-day", untilMs: 1, retryAfterMs: 0, evidence },
  "model-unavailable": { kind: "model-unavailable", evidence },
  "request-over-quota": { kind: "request-over-quota", evidence },
  "foreign-resource": { kind: "foreign-resource", evidence },
  overloaded: { kind: "overloaded", evidence },
  empty: { kind: "empty", evidence },
  broken: { kind: "broken", evidence },
  network: { kind: "network", evidence },
  location: { kind: "location", evidence },
};

const passOn = (comeBack: "soon" | "as-told" | "never"): LastWord => ({ kind: "pass-on", comeBack });

/** What is said after an answer that could be passed on, and after none: [with an answer, without]. */
const WORDS: Readonly<Record<OutcomeKind, readonly [LastWord | string, string]>> = {
  served: [passOn("never"), "internal"],
  "caller-left": [passOn("never"), "internal"],
  "caller-fault": [passOn("never"), "unsendable-request"],
  "foreign-resource": [passOn("never"), "internal"],
  location: [passOn("never"), "internal"],
  "request-over-quota": [passOn("as-told"), "tried-quota"],
  "model-unavailable": [passOn("never"), "pool-model-unavailable"],
  overloaded: [passOn("soon"), "upstream-overloaded"],
  empty: [passOn("never"), "upstream-empty"],
  // Never the upstream's own words about a key that is not the client's.
  "key-dead": ["tried-in-vain", "tried-in-vain"],
  "key-misconfigured": ["tried-in-vain", "tried-in-vain"],
  billing: ["tried-in-vain", "tried-in-vain"],
  "quota-minute": ["tried-quota", "tried-quota"],
  "quota-day": ["tried-quota", "tried-quota"],
  broken: ["upstream-broken", "upstream-broken"],
  network: ["upstream-network", "upstream-network"],
};

describe("the last word", () => {
  it.each(Object.entries(WORDS))("when attempts are used up after %s", (kind, [passable, without]) => {
    const last = OUTCOMES[kind as OutcomeKind];
    const expected = typeof passable === "string" ? { kind: "own", code: passable } : passable;
    expect(lastWord(last, true, undefined)).toEqual(expected);
    expect(lastWord(last, false, undefined)).toEqual({ kind: "own", code: without });
  });

  const DENIED: readonly (readonly [DenialReason, string])[] = [
    ["no-keys", "pool-empty"],
    ["quota", "pool-quota"],
    ["billing", "pool-billing"],
    ["resting", "pool-resting"],
    ["out-of-service", "pool-out-of-service"],
    ["busy", "pool-busy"],
    ["model-unavailable", "pool-model-unavailable"],
  ];

  it.each(DENIED)(
    "when the pool is denied for %s it tells so, unless the upstream said something better",
    (reason, code) => {
      const said = (last?: Outcome): LastWord => lastWord(last, true, { reason });
      expect(said()).toEqual({ kind: "own", code });
      for (const kind of ["key-dead", "key-misconfigured", "billing"] as const) {
        expect(said(OUTCOMES[kind])).toEqual({ kind: "own", code });
      }
      // Quota is the reason whatever keeps the others away.
      for (const kind of ["quota-minute", "quota-day"] as const) {
        expect(said(OUTCOMES[kind])).toEqual({ kind: "own", code: "pool-quota" });
      }
      expect(said(OUTCOMES.overloaded)).toEqual(passOn("soon"));
      const unavailable = reason === "model-unavailable" ? passOn("never") : { kind: "own", code };
      expect(said(OUTCOMES["model-unavailable"])).toEqual(unavailable);
    },
  );

  it.each<readonly [DenialReason, string]>([
    ["quota", "owner-quota"],
    ["resting", "owner-resting"],
    ["billing", "owner-billing"],
    ["out-of-service", "owner-out-of-service"],
    ["busy", "owner-busy"],
    ["model-unavailable", "owner-model-unavailable"],
    ["owner-gone", "owner-gone"],
    ["owners-differ", "owners-differ"],
  ])(
    "when the project that the request is bound to is denied for %s it tells of that one",
    (reason, code) => {
      const denial = { reason, scope: "owner" } as const;
      expect(lastWord(undefined, false, denial)).toEqual({ kind: "own", code });
      expect(lastWord(OUTCOMES["key-dead"], true, denial)).toEqual({ kind: "own", code });
      expect(lastWord(OUTCOMES["quota-day"], true, denial)).toEqual({ kind: "own", code: "owner-quota" });
      const word = lastWord(OUTCOMES["model-unavailable"], false, denial);
      expect(word).toEqual({ kind: "own", code });
    },
  );

  it("tells a time-out from a connection that failed", () => {
    const timeout: Outcome = { kind: "network", evidence: { ...evidence, reason: "timeout" } };
    expect(lastWord(timeout, false, undefined)).toEqual({ kind: "own", code: "upstream-timeout" });
  });
});

it("a model that two projects may not use is not looked for in a third", () => {
  const trail = extendTrail(FRESH_TRAIL, 1, "model-unavailable");
  expect(curable("model-unavailable", FRESH_TRAIL, "curable")).toBe(true);
  expect(curable("model-unavailable", trail, "curable")).toBe(false);
  expect(curable("overloaded", trail, "curable")).toBe(true);
});

it("any failure is retried when the operator wants it so, but never what was served or nobody waits for", () => {
  for (const kind of Object.keys(OUTCOMES) as OutcomeKind[]) {
    expect(curable(kind, FRESH_TRAIL, "any-failure")).toBe(kind !== "served" && kind !== "caller-left");
  }
});

it("a trail excludes the project where the project is to blame, and no key for the network's failures", () => {
  const trail = extendTrail(
    extendTrail(extendTrail(FRESH_TRAIL, 1, "overloaded"), 2, "quota-day"),
    3,
    "network",
  );
  expect(trail).toEqual({ excludedKeys: [1, 2], excludedProjectsOf: [2], attempts: 3, modelRefused: false });
});

it("only what may strike every key at once draws on the ratio over all requests", () => {
  const drawing = (Object.keys(OUTCOMES) as OutcomeKind[]).filter((kind) => drawsOnRatio(kind, "curable"));
  expect(drawing).toEqual(["overloaded", "empty", "broken", "network"]);
});
