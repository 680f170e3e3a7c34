import type { Outcome } from "@gemini-gateway/core/outcome";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { classifyAnswer, classifyLateError, type ClassifyContext } from "../src/classify.ts";

const FIXTURES = new URL("../fixtures/errors/", import.meta.url);

/** 23 November 2026, 12:00 UTC; the next Pacific midnight is 20 hours away. */
const NOW_MS = Date.UTC(2026, 10, 23, 12);
const MIDNIGHT_MS = Date.UTC(2026, 10, 24, 8);

const GENERATION: ClassifyContext = {
  route: { resource: undefined, generates: true },
  nowMs: NOW_MS,
  requestTokensFloor: 0,
  tokenQuotaRefusals: 0,
};

interface Meaning {
  readonly status: number;
  readonly kind: Outcome["kind"];
  readonly and?: Readonly<Record<string, unknown>>;
}

/** The meaning of every recorded body, in answer to a generation. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  "api-key-invalid": { status: 400, kind: "key-dead", and: { reason: "invalid" } },
  "api-key-not-found": { status: 400, kind: "key-dead", and: { reason: "invalid" } },
  "api-key-expired": { status: 400, kind: "key-dead", and: { reason: "invalid" } },
  "compat-bad-key": { status: 400, kind: "key-dead", and: { reason: "invalid" } },
  unauthenticated: { status: 401, kind: "key-dead", and: { reason: "unauthenticated" } },
  "no-credential": { status: 403, kind: "key-dead", and: { reason: "unauthenticated" } },
  "interactions-authentication": { status: 401, kind: "key-dead", and: { reason: "unauthenticated" } },
  leaked: { status: 403, kind: "key-dead", and: { reason: "leaked" } },
  "project-denied": { status: 403, kind: "key-dead", and: { reason: "denied" } },
  suspended: { status: 403, kind: "key-dead", and: { reason: "suspended" } },
  "service-disabled": { status: 403, kind: "key-misconfigured", and: { reason: "service-disabled" } },
  "service-blocked": { status: 403, kind: "key-misconfigured", and: { reason: "service-blocked" } },
  "referrer-blocked": { status: 403, kind: "key-misconfigured", and: { reason: "referrer-blocked" } },
  "ip-blocked": { status: 403, kind: "key-misconfigured", and: { reason: "ip-blocked" } },
  "prepay-empty-402": { status: 402, kind: "billing" },
  "prepay-empty-429": { status: 429, kind: "billing" },
  "spending-cap": { status: 429, kind: "billing" },
  "interactions-payment-required": { status: 402, kind: "billing" },
  "quota-day": { status: 429, kind: "quota-day", and: { untilMs: MIDNIGHT_MS, retryAfterMs: 58_000 } },
  "quota-several": { status: 429, kind: "quota-day", and: { untilMs: MIDNIGHT_MS, retryAfterMs: 12_000 } },
  "interactions-quota-exceeded": {
    status: 429,
    kind: "quota-day",
    and: { untilMs: MIDNIGHT_MS, retryAfterMs: 0 },
  },
  "quota-minute": { status: 429, kind: "quota-minute", and: { retryAfterMs: 34_000 } },
  "quota-tokens-minute": { status: 429, kind: "quota-minute", and: { retryAfterMs: 21_000 } },
  "quota-embed-minute": { status: 429, kind: "quota-minute", and: { retryAfterMs: 7000 } },
  "quota-old-form": { status: 429, kind: "quota-minute", and: { retryAfterMs: 60_000 } },
  "quota-old-form-message": { status: 429, kind: "quota-minute", and: { retryAfterMs: 60_000 } },
  "interactions-rate-limit-exceeded": { status: 429, kind: "quota-minute", and: { retryAfterMs: 60_000 } },
  "quota-zero": { status: 429, kind: "model-unavailable" },
  "quota-old-form-zero": { status: 429, kind: "model-unavailable" },
  "caller-no-permission": { status: 403, kind: "model-unavailable" },
  "model-closed-to-new-users": { status: 404, kind: "model-unavailable" },
  "interactions-permission-denied": { status: 403, kind: "model-unavailable" },
  "file-forbidden": { status: 403, kind: "foreign-resource" },
  "cache-forbidden": { status: 403, kind: "foreign-resource" },
  location: { status: 400, kind: "location" },
  "quota-bare": { status: 429, kind: "overloaded" },
  "compat-bare-429": { status: 429, kind: "overloaded" },
  internal: { status: 500, kind: "overloaded" },
  "internal-short": { status: 500, kind: "overloaded" },
  overloaded: { status: 503, kind: "overloaded" },
  "high-demand": { status: 503, kind: "overloaded" },
  deadline: { status: 504, kind: "overloaded" },
  "interactions-api-error": { status: 500, kind: "overloaded" },
  "interactions-service-unavailable": { status: 503, kind: "overloaded" },
  "interactions-deadline-exceeded": { status: 504, kind: "overloaded" },
  "contents-missing": { status: 400, kind: "caller-fault" },
  "input-too-long": { status: 400, kind: "caller-fault" },
  "bad-request": { status: 400, kind: "caller-fault" },
  "two-credentials": { status: 400, kind: "caller-fault" },
  "model-not-found": { status: 404, kind: "caller-fault" },
  cancelled: { status: 499, kind: "caller-fault" },
  "interactions-invalid-request": { status: 400, kind: "caller-fault" },
  "interactions-model-not-found": { status: 404, kind: "caller-fault" },
};

function fixture(name: string): string {
  return readFileSync(new URL(`${name}.json`, FIXTURES), "utf8");
}

function classify(name: string, context: Partial<ClassifyContext> = {}): Outcome {
  const status = MEANINGS[name]?.status ?? 0;
  const answer = { status, contentType: "application/json; charset=UTF-8", body: fixture(name) };
  return classifyAnswer(answer, { ...GENERATION, ...context });
}

const NAMES = Object.keys(MEANINGS).toSorted();

it("has a meaning for every recorded body", () => {
  const recorded = readdirSync(FIXTURES).filter((file) => file.endsWith(".json"));
  expect(recorded.map((file) => file.replace(".json", "")).toSorted()).toEqual(NAMES);
});

it.each(NAMES)("%s", (name) => {
  const meaning = MEANINGS[name];
  expect(classify(name)).toMatchObject({ kind: meaning?.kind, ...meaning?.and });
});

it.each(NAMES)("%s means the same when it comes late, as an event of a stream", (name) => {
  const event = JSON.stringify(JSON.parse(fixture(name)));
  const late = classifyLateError(`data: ${event}`, GENERATION);
  const { evidence: _, ...meaning } = classify(name) as Extract<Outcome, { evidence: unknown }>;
  expect(late).toMatchObject(meaning);
});

it.each(NAMES)("%s keeps bounded evidence without any key", (name) => {
  const outcome = classify(name) as Extract<Outcome, { evidence: unknown }>;
  expect(outcome.evidence.httpStatus).toBe(MEANINGS[name]?.status);
  expect(outcome.evidence.reason).not.toBe("");
  expect(outcome.evidence.reason.length).toBeLessThanOrEqual(200);
  expect(outcome.evidence.message.length).toBeLessThanOrEqual(500);
  expect(JSON.stringify(outcome)).not.toContain("AIza");
});

describe("evidence", () => {
  it("names the project that Google charged", () => {
    expect(classify("suspended")).toMatchObject({ evidence: { consumer: "895908428397" } });
    expect(classify("service-disabled")).toMatchObject({ evidence: { consumer: "411082643095" } });
    expect(classify("quota-old-form-message")).toMatchObject({ evidence: { consumer: "297700366322" } });
  });

  it("names the quota that decided, and its size", () => {
    const quotaId = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    expect(classify("quota-several")).toMatchObject({ evidence: { quotaId, quotaLimit: 20 } });
  });
});

describe("a resource of another project", () => {
  const route = { resource: "files/abc", generates: false };

  it("is no fault of the key, whatever the wording", () => {
    expect(classify("caller-no-permission", { route }).kind).toBe("foreign-resource");
    expect(classify("model-not-found", { route }).kind).toBe("foreign-resource");
  });

  it("does not hide what is wrong with the key itself", () => {
    expect(classify("suspended", { route }).kind).toBe("key-dead");
    expect(classify("service-disabled", { route }).kind).toBe("key-misconfigured");
  });
});

describe("a request larger than the token quota", () => {
  it("is recognised by its size", () => {
    expect(classify("quota-tokens-minute", { requestTokensFloor: 250_001 }).kind).toBe("request-over-quota");
    expect(classify("quota-tokens-minute", { requestTokensFloor: 250_000 }).kind).toBe("quota-minute");
  });

  it("is recognised by a second refusal when half of the quota is certain", () => {
    const large = { requestTokensFloor: 125_000, tokenQuotaRefusals: 1 };
    expect(classify("quota-tokens-minute", large).kind).toBe("request-over-quota");
    expect(classify("quota-tokens-minute", { ...large, tokenQuotaRefusals: 0 }).kind).toBe("quota-minute");
    expect(classify("quota-tokens-minute", { ...large, requestTokensFloor: 124_999 }).kind).toBe(
      "quota-minute",
    );
  });

  it("is not suspected when requests are what ran out", () => {
    expect(classify("quota-minute", { requestTokensFloor: 500_000, tokenQuotaRefusals: 3 }).kind).toBe(
      "quota-minute",
    );
  });
});

describe("pages for people", () => {
  const page = readFileSync(new URL("automated-queries.html", FIXTURES), "utf8");
  const html = (status: number, body: string): string =>
    classifyAnswer({ status, contentType: "text/html; charset=UTF-8", body }, GENERATION).kind;

  it("slow the pool down when Google takes it for a robot, and never cost a key", () => {
    expect(html(403, page)).toBe("overloaded");
    expect(html(429, page)).toBe("overloaded");
  });

  it("are the network's fault when anything else sent them", () => {
    expect(html(403, "<html><body>Blocked by policy</body></html>")).toBe("network");
    expect(html(401, "<!doctype html><title>Log in</title>")).toBe("network");
  });

  it("mean overload with a server's status", () => {
    expect(html(502, "<html><title>502</title></html>")).toBe("overloaded");
  });
});
