import type { Outcome } from "@gemini-gateway/core/outcome";
import { beforeEach, expect, it } from "vitest";
import { Alerts } from "./alerts.ts";

const HOUR_MS = 3_600_000;
const DEAD: Outcome = {
  kind: "key-dead",
  reason: "leaked",
  evidence: { httpStatus: 403, reason: "leaked", message: "Your API key was reported as leaked." },
};
const LOCATION: Outcome = {
  kind: "location",
  evidence: { httpStatus: 400, reason: "FAILED_PRECONDITION", message: "User location is not supported." },
};

let nowMs = 0;
let said: [string, Record<string, unknown>, string][] = [];
let alerts: Alerts;

beforeEach(() => {
  nowMs = 1_000;
  said = [];
  const tell =
    (level: string) =>
    (details: object, text?: string): void => {
      said.push([level, { ...details }, text ?? ""]);
    };
  const ring = { get: (id: number) => ({ id, secret: "test-key-secret", fingerprint: `k-${id}` }) };
  alerts = new Alerts({ ring, log: { warn: tell("warn"), error: tell("error") }, now: () => nowMs });
});

it("names a key that died by its fingerprint, with what the upstream said, once an hour", () => {
  alerts.heard(1, DEAD);
  alerts.heard(1, DEAD);
  expect(said).toHaveLength(1);
  expect(said[0]?.slice(0, 2)).toEqual([
    "warn",
    {
      key: "k-1",
      outcome: "key-dead",
      httpStatus: 403,
      reason: "leaked",
      message: "Your API key was reported as leaked.",
    },
  ]);
  alerts.heard(2, DEAD);
  nowMs += HOUR_MS;
  alerts.heard(1, DEAD);
  expect(said).toHaveLength(3);
  expect(JSON.stringify(said)).not.toContain("secret");
});

it("says loudly, and of no key, that the location is not served", () => {
  alerts.heard(1, LOCATION);
  alerts.heard(2, LOCATION);
  expect(said).toHaveLength(1);
  expect(said[0]?.[0]).toBe("error");
  expect(said[0]?.[1]).not.toHaveProperty("key");
});

it("is silent about what mends itself", () => {
  alerts.heard(1, { kind: "served" });
  alerts.heard(1, { kind: "quota-minute", retryAfterMs: 1, evidence: DEAD.evidence });
  alerts.heard(1, { kind: "overloaded", evidence: DEAD.evidence });
  expect(said).toEqual([]);
});
