/** Failures that another key cures: the client sees one good answer and nothing else, whatever way it asked. */
import type { Fault } from "gemini-emulator/fault-rules";
import type { ErrorName } from "gemini-emulator/named-errors";
import { describe, expect, it } from "vitest";
import {
  answerIn,
  expectServedOnce,
  keyOfCall,
  laneOf,
  NATIVE,
  once,
  onPool,
  STREAMS,
  WAYS,
  type Way,
} from "./scene.ts";
import type { Pool } from "../harness/pool.ts";

interface Cured {
  readonly name: string;
  readonly fault: Fault;
  /** Outcome of the failed attempt. */
  readonly outcome: string;
  /** What must be known of the key that failed. */
  readonly key: (pool: Pool, secret: string) => unknown;
  readonly knows: Readonly<Record<string, unknown>>;
}

const health = (pool: Pool, secret: string): unknown => pool.keyView(secret).health;
const standing = (pool: Pool, secret: string): unknown => pool.keyView(secret).standing;
const lane = (pool: Pool, secret: string): unknown => laneOf(pool, secret);
const error = (name: ErrorName): Fault => ({ kind: "error", error: name });
const lateFirst = (name: ErrorName): Fault => ({ kind: "late-error-event", afterEvents: 0, error: name });

const dead = (name: string, fault: Fault, reason: string): Cured => ({
  name,
  fault,
  outcome: "key-dead",
  key: health,
  knows: { kind: "dead", reason },
});

const misconfigured = (name: ErrorName): Cured => ({
  name,
  fault: error(name),
  outcome: "key-misconfigured",
  key: health,
  knows: { kind: "misconfigured", reason: name },
});

const billing = (name: ErrorName): Cured => ({
  name,
  fault: error(name),
  outcome: "billing",
  key: standing,
  knows: { kind: "billing" },
});

const rests = (name: string, fault: Fault, outcome: string, kind: string = outcome): Cured => ({
  name,
  fault,
  outcome,
  key: lane,
  knows: { kind },
});

/** The network's own failures leave the key as it was. */
const blameless = (name: string, fault: Fault): Cured => ({
  name,
  fault,
  outcome: "network",
  key: (pool, secret) => {
    const { kind } = laneOf(pool, secret);
    return { health: pool.keyView(secret).health.kind, rests: kind !== "untried" && kind !== "proven" };
  },
  knows: { rests: false },
});

const KEY_FAULTS: readonly Cured[] = [
  dead("api-key-invalid", error("api-key-invalid"), "invalid"),
  dead("api-key-not-found", error("api-key-not-found"), "invalid"),
  dead("api-key-expired", error("api-key-expired"), "invalid"),
  dead("unauthenticated (401)", error("unauthenticated"), "unauthenticated"),
  dead("leaked", error("leaked"), "leaked"),
  {
    ...dead("suspended", error("suspended"), "suspended"),
    key: standing,
    knows: { kind: "denied", reason: "suspended" },
  },
  {
    ...dead("denied", error("denied"), "denied"),
    key: standing,
    knows: { kind: "denied", reason: "denied" },
  },
  misconfigured("service-disabled"),
  misconfigured("service-blocked"),
  misconfigured("referrer-blocked"),
  misconfigured("ip-blocked"),
  billing("credits-depleted"),
  billing("credits-depleted-429"),
  billing("spending-cap"),
];

const LANE_FAULTS: readonly Cured[] = [
  rests("a quota of the minute", error("quota-minute"), "quota-minute"),
  rests("a token quota of the minute", error("quota-tokens"), "quota-minute"),
  rests("a quota of the day", error("quota-day"), "quota-day"),
  rests("several violations", error("quota-day-and-minute"), "quota-day"),
  rests("limit: 0", error("quota-zero"), "model-unavailable", "unavailable"),
  rests("limit: 0 in the old form", error("quota-region"), "model-unavailable", "unavailable"),
  rests(
    "a model not open to the project (403)",
    error("model-forbidden"),
    "model-unavailable",
    "unavailable",
  ),
  rests("a model closed to new users (404)", error("model-retired"), "model-unavailable", "unavailable"),
  rests("overload (503)", error("overloaded"), "overloaded"),
  rests("high demand (503)", error("high-demand"), "overloaded"),
  rests("internal (500)", error("internal"), "overloaded"),
  rests("deadline (504)", error("deadline"), "overloaded"),
  rests("a bare 429", error("resource-exhausted"), "overloaded"),
  rests("a page of HTML (503)", { kind: "html" }, "overloaded"),
  rests("an empty 502", { kind: "custom", status: 502, body: "" }, "overloaded"),
];

/** Answers with status 200 that are none, and no answer at all. */
const ODD_ANSWERS: readonly Cured[] = [
  rests("STOP without parts", { kind: "stop-without-parts" }, "empty", "overloaded"),
  rests("no candidates", { kind: "candidates-missing" }, "empty", "overloaded"),
  rests("not one byte", { kind: "empty-stream" }, "empty", "overloaded"),
  rests("half of the first JSON", { kind: "invalid-json" }, "broken", "overloaded"),
  blameless("a reset before the headers", { kind: "reset" }),
];

const ERRORS_IN_EVERY_WAY: ReadonlySet<string> = new Set([
  "suspended",
  "a quota of the minute",
  "overload (503)",
  "a page of HTML (503)",
]);

const STREAM_FAULTS: readonly Cured[] = [
  rests("an error as first event", lateFirst("overloaded"), "overloaded"),
  rests("a raw error as first bytes", { kind: "raw-json-tail", afterEvents: 0 }, "overloaded"),
  rests(
    "a first event broken off",
    { kind: "reset", afterEvents: 0, midEvent: true },
    "broken",
    "overloaded",
  ),
  rests("a reset after the headers", { kind: "reset", afterEvents: 0 }, "broken", "overloaded"),
  dead("a dead key told in the first event", lateFirst("api-key-invalid"), "invalid"),
];

const UNARY_FAULTS: readonly Cured[] = [
  rests("fewer bytes than promised", { kind: "truncated-length" }, "broken", "overloaded"),
];

/** Lets one key fail so and the next serve; gives the outcomes of all attempts the client never saw. */
async function attemptsWith(way: Way, { fault, outcome, key, knows }: Cured): Promise<readonly string[]> {
  let attempts: readonly string[] = [];
  await onPool({ script: [once(fault)] }, async (pool) => {
    const answer = await answerIn(way, pool);
    expectServedOnce(way, answer);
    ({ attempts } = answer);
    const failed = keyOfCall(pool, 0);
    expect(keyOfCall(pool, 1)).not.toBe(failed);
    expect(pool.emulator.calls.total).toBe(2);
    expect(await pool.requestLogged()).toMatchObject({ status: 200, outcome: "served", attempts: 2 });
    expect(key(pool, failed)).toMatchObject(knows);
    expect(answer.body + pool.logLines.join("")).not.toContain(failed);
    // The key had no part in it and may be asked again.
    if (outcome === "network") return;
    for (let later = 0; later < 4; later += 1) expectServedOnce(way, await answerIn(way, pool));
    expect(pool.emulator.calls.byKey(failed)).toBe(1);
  });
  return attempts;
}

describe("asked natively, the next key answers unseen after", () => {
  const rows = [...KEY_FAULTS, ...LANE_FAULTS, ...ODD_ANSWERS, ...UNARY_FAULTS];
  it.each(rows)("$name", async (row) => {
    expect(await attemptsWith(NATIVE, row)).toEqual([row.outcome, "served"]);
  });
});

const OTHER_WAYS = WAYS.filter((way) => way !== NATIVE);

describe.each(OTHER_WAYS)("asked by $name, the next key answers unseen after", (way) => {
  // What an error means does not depend on the way; how it is wrapped and how an answer can be empty or broken does.
  const errors = [...KEY_FAULTS, ...LANE_FAULTS].filter(({ name }) => ERRORS_IN_EVERY_WAY.has(name));
  const rows = [...errors, ...ODD_ANSWERS, ...(STREAMS.includes(way) ? STREAM_FAULTS : UNARY_FAULTS)];
  it.each(rows)("$name", async (row) => {
    expect(await attemptsWith(way, row)).toEqual([row.outcome, "served"]);
  });
});
