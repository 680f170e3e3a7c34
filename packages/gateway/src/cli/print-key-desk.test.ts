import { expect, it } from "vitest";
import { explainKey, type ExplainedKey } from "../primary/explain-key.ts";
import { explanationText } from "./print-key-desk.ts";

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const row: ExplainedKey["row"] = {
  fingerprint: "k-abcdefghij23",
  project: "team",
  sourceFile: "pool.txt",
  enabled: true,
  note: null,
  notedAtMs: null,
};
const GOOD: ExplainedKey = {
  row,
  health: { kind: "good", sinceMs: NOW - HOUR_MS },
  standing: { kind: "good" },
  lanes: [],
  resources: 0,
  pairs: [],
};

function explained(key: Partial<ExplainedKey>): string {
  return explanationText(explainKey({ ...GOOD, ...key }), NOW);
}

it("says that a key works, what it served, and when it is tested", () => {
  const lanes = [
    { model: "m", state: { kind: "proven", sinceMs: NOW - HOUR_MS }, lastServedMs: NOW - 60_000 },
  ] as const;
  const pair = {
    keyId: 1,
    model: "m",
    outcome: "served",
    httpStatus: 200,
    repeats: 1,
    atMs: NOW - 60_000,
    dueAtMs: NOW + 11 * HOUR_MS,
  } as const;
  expect(explained({ lanes, pairs: [pair] })).toBe(
    [
      "k-abcdefghij23 (project team, file pool.txt)",
      "  key: in: it works, since 1h ago",
      "  m: in: it works, since 1h ago",
      "    last served 1m ago; last known served 1m ago",
      "    Tested in 11h, unless a request succeeds before",
    ].join("\n"),
  );
});

it("says what would be lost with the last key of the project", () => {
  expect(explained({ resources: 12 })).toContain(
    "Its project holds 12 known resources, which no other can see.",
  );
  expect(explained({ resources: 1 })).toContain("holds 1 known resource,");
  expect(explained({})).not.toContain("resource");
});

it("names the quota, its limit and the moment it returns", () => {
  const evidence = {
    httpStatus: 429,
    reason: "RESOURCE_EXHAUSTED",
    message: "You exceeded your current quota",
    quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    quotaLimit: 20,
    consumer: "411082643095",
  };
  const state = {
    kind: "quota-day",
    sinceMs: NOW - HOUR_MS,
    untilMs: NOW + 5 * HOUR_MS,
    trialAtMs: NOW,
    evidence,
  } as const;
  const learned = { requestsPerDay: { limit: 20, source: "stated", learntAtMs: NOW } } as const;
  const used = { requestsOfMinute: 1, tokensOfMinute: 40, requestsOfDay: 20, roomAtMs: 0 };
  const quota = { limits: { requestsPerDay: 20, requestsPerMinute: 10 }, learned, ...used };
  const text = explained({ lanes: [{ model: "m", state, lastServedMs: 0, quota }] });
  expect(text).toContain(
    "Quota used: 1 of 10 requests a minute (configured), 20 of 20 requests a day (named by Google)",
  );
  expect(text).toContain("m: out: the project's quota of the day is used up, since 1h ago");
  expect(text).toContain(
    "quota GenerateRequestsPerDayPerProjectPerModel-FreeTier, limit 20, project number 411082643095",
  );
  expect(text).toContain("Google said: You exceeded your current quota");
  expect(text).toContain("Back in 5h, by itself");
});

it("says who takes a dead key's next trial: a planned test, else a request", () => {
  const evidence = { httpStatus: 403, reason: "PERMISSION_DENIED", message: "" };
  const health = {
    kind: "dead",
    reason: "leaked",
    evidence,
    sinceMs: NOW,
    failures: 1,
    trialAtMs: NOW + 24 * HOUR_MS,
  } as const;
  expect(explained({ health })).toContain("Tried again in 1d, with a request");
  const pair = {
    keyId: 1,
    model: "*",
    outcome: "untested",
    httpStatus: 0,
    repeats: 0,
    atMs: 0,
    dueAtMs: NOW + HOUR_MS,
  } as const;
  const text = explained({ health, pairs: [pair] });
  expect(text).toContain("key: out: Google refuses it (it was reported as leaked)");
  expect(text).toContain("Tested again in 1h");
});

it("puts what the operator wants first, and lets no note reach the terminal raw", () => {
  const disabled = { ...row, enabled: false, note: "away\u001B[2J", notedAtMs: NOW - HOUR_MS };
  const text = explained({ row: disabled });
  expect(text.split("\n")[1]).toBe(
    'It is disabled, by the operator 1h ago: "away\u{fffd}[2J". Only `keys enable` changes that.',
  );
});

it("says of no model that it is in while its key, its project or the operator keeps it out", () => {
  const evidence = { httpStatus: 400, reason: "API_KEY_INVALID", message: "" };
  const out = { evidence, sinceMs: NOW, failures: 1, trialAtMs: NOW + HOUR_MS };
  const lanes = [
    { model: "m", state: { kind: "proven", sinceMs: NOW - HOUR_MS }, lastServedMs: NOW - HOUR_MS },
  ] as const;
  const pairs = [
    {
      keyId: 1,
      model: "m",
      outcome: "served",
      httpStatus: 200,
      repeats: 1,
      atMs: NOW,
      dueAtMs: NOW + HOUR_MS,
    },
  ] as const;
  const known = { lanes, pairs };
  expect(explained({ ...known, health: { kind: "dead", reason: "invalid", ...out } })).toMatch(
    /  m: out, as the key is\n    last served 1h ago; last known served 0s ago$/,
  );
  expect(explained({ ...known, standing: { kind: "billing", ...out } })).toContain(
    "  m: out, as its project is\n",
  );
  const disabled = explained({ ...known, row: { ...row, enabled: false } });
  expect(disabled).toContain("  key: out: the key is disabled\n  m: out: the key is disabled\n");
  expect(disabled).not.toContain("Tested");
});
