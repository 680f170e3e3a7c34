import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { judgeFailure, judgeProbe } from "./judge-probe.ts";

const FIXTURES = join(import.meta.dirname, "../../../gemini/fixtures/errors");
const NOW = 1_700_000_000_000;
const SECRET = "test-key-1";

function fixture(name: string): string {
  return readFileSync(join(FIXTURES, name), "utf8");
}

function judge(
  status: number,
  text: string,
  contentType = "application/json; charset=UTF-8",
): ReturnType<typeof judgeProbe> {
  return judgeProbe({ status, contentType, text }, SECRET, NOW);
}

it("any good answer in JSON proves the key, though a thinking model says nothing in one token", () => {
  expect(judge(200, '{"candidates":[{"finishReason":"MAX_TOKENS"}]}').kind).toBe("served");
});

it("a good answer of something else than Google is held against nobody", () => {
  expect(judge(200, "<html>Log in to the hotel's network</html>", "text/html").kind).toBe("network");
});

it("a refusal means what it means to a request", () => {
  expect(judge(400, fixture("api-key-invalid.json"))).toMatchObject({ kind: "key-dead", reason: "invalid" });
  expect(judge(429, fixture("quota-day.json")).kind).toBe("quota-day");
  expect(judge(503, fixture("overloaded.json")).kind).toBe("overloaded");
});

it("the key does not pass into the outcome, though Google repeats it", () => {
  const echo = JSON.stringify({
    error: {
      code: 403,
      status: "PERMISSION_DENIED",
      message: `Consumer 'api_key:${SECRET}' has been suspended.`,
    },
  });
  const outcome = judge(403, echo);
  expect(outcome).toMatchObject({ kind: "key-dead", reason: "suspended" });
  expect(JSON.stringify(outcome)).not.toContain(SECRET);
});

it("no answer is the network's fault, told by its code alone", () => {
  const failed = Object.assign(new Error("connect to user:password@proxy failed"), {
    code: "PROXY_UNREACHABLE",
  });
  expect(judgeFailure(failed, false)).toMatchObject({
    kind: "network",
    evidence: { reason: "PROXY_UNREACHABLE" },
  });
  expect(JSON.stringify(judgeFailure(failed, false))).not.toContain("password");
  expect(judgeFailure(new Error("aborted"), true)).toMatchObject({
    kind: "network",
    evidence: { reason: "timeout" },
  });
});
