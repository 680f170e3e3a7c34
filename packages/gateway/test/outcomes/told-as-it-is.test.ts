/** Answers that no other key would better: passed on at once and unchanged, at the price of one call and of no key. */
import type { Fault } from "gemini-emulator/fault-rules";
import { describe, expect, it } from "vitest";
import type { Pool } from "../harness/pool.ts";
import {
  always,
  answerIn,
  keyOfCall,
  laneOf,
  NATIVE,
  onPool,
  soloProjects,
  WAYS,
  wayNamed,
  type Way,
} from "./scene.ts";

interface Told {
  readonly name: string;
  readonly fault: Fault;
  readonly status: number;
  readonly outcome: string;
}

const callersFault = (name: string, status: number, fault: Fault): Told => ({
  name,
  status,
  fault,
  outcome: "caller-fault",
});

const REFUSALS: readonly Told[] = [
  callersFault("no contents (400)", 400, { kind: "error", error: "empty-contents" }),
  callersFault("an invalid argument (400)", 400, { kind: "error", error: "invalid-argument" }),
  callersFault("too many tokens (400)", 400, { kind: "error", error: "too-many-tokens" }),
  callersFault("a model that does not exist (404)", 404, { kind: "error", error: "model-not-found" }),
  callersFault("a payload too large (413)", 413, {
    kind: "custom",
    status: 413,
    body: "Request Entity Too Large",
  }),
  callersFault("a cancelled operation (499)", 499, { kind: "error", error: "cancelled" }),
  {
    name: "the egress's location",
    status: 400,
    fault: { kind: "error", error: "location" },
    outcome: "location",
  },
  {
    name: "a file of another project (403)",
    status: 403,
    fault: { kind: "error", error: "file-forbidden" },
    outcome: "foreign-resource",
  },
  {
    name: "a cache of another project (403)",
    status: 403,
    fault: { kind: "error", error: "cache-forbidden" },
    outcome: "foreign-resource",
  },
];

/** What the upstream itself says to the same request: the client must get the same bytes. */
async function saidByUpstream(way: Way, pool: Pool): Promise<string> {
  const response = await fetch(
    pool.emulator.url + way.path("gemini-2.5-flash").replace("/v1/chat", "/v1beta/openai/chat"),
    {
      method: "POST",
      headers: { "content-type": "application/json", "x-goog-api-key": "test-key-1" },
      body: JSON.stringify(way.body("gemini-2.5-flash", "say it once")),
    },
  );
  return response.text();
}

function stateOf(pool: Pool, secret: string): unknown {
  const { health, standing } = pool.keyView(secret);
  return { health: health.kind, standing: standing.kind, lane: laneOf(pool, secret).kind };
}

const UNTOUCHED = { health: "untested", standing: "good", lane: "untried" };

describe.each(WAYS)("asked by $name, the upstream's own answer is passed on after one call:", (way) => {
  it.each(REFUSALS)("$name", async ({ fault, status, outcome }) => {
    await onPool({ script: [always(fault)] }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(answer).toMatchObject({ status, attempts: [outcome] });
      expect(answer.headers.get("retry-after")).toBeNull();
      expect(pool.emulator.calls.total).toBe(1);
      expect(stateOf(pool, keyOfCall(pool, 0))).toEqual(UNTOUCHED);
      expect(answer.body).toBe(await saidByUpstream(way, pool));
      expect(await pool.requestLogged()).toMatchObject({ status, outcome, attempts: 1 });
    });
  });
});

const VERDICTS: readonly { readonly name: string; readonly fault: Fault; readonly shows: RegExp }[] = [
  {
    name: "a budget spent on thoughts",
    fault: { kind: "max-tokens-without-parts" },
    shows: /MAX_TOKENS|"length"/,
  },
  { name: "a blocked prompt", fault: { kind: "blocked-prompt" }, shows: /blockReason/ },
  { name: "only a thought", fault: { kind: "thought-only" }, shows: /I think about/ },
];

describe.each(WAYS.filter(({ wrapsErrors, name }) => !wrapsErrors || name === "json-array"))(
  "asked by $name, a verdict of the model is an answer:",
  (way) => {
    it.each(VERDICTS)("$name", async ({ fault, shows }) => {
      await onPool({ script: [always(fault)] }, async (pool) => {
        const answer = await answerIn(way, pool);
        expect(answer).toMatchObject({ status: 200, attempts: ["served"] });
        expect(answer.body).toMatch(shows);
        expect(pool.emulator.calls.total).toBe(1);
      });
    });
  },
);

it.each(WAYS)("a tool call and nothing else is an answer ($name)", async (way) => {
  await onPool({}, async (pool) => {
    const openai = way.name.startsWith("openai");
    const declaration = { name: "look_up", parameters: { type: "object", properties: {} } };
    const tools = openai
      ? [{ type: "function", function: declaration }]
      : [{ functionDeclarations: [declaration] }];
    const calling: Way = { ...way, body: (model, text) => ({ ...way.body(model, text), tools }) };
    const answer = await answerIn(calling, pool, { text: "call look_up" });
    expect(answer).toMatchObject({ status: 200, attempts: ["served"] });
    expect(answer.body).toContain("look_up");
    expect(pool.emulator.calls.total).toBe(1);
  });
});

it("a file that nobody has seen is looked for once at each project, and the refusal told as it is", async () => {
  await onPool({}, async (pool) => {
    const response = await fetch(`${pool.url}/v1beta/files/abc123`, {
      headers: { "x-goog-api-key": "test-auth-key" },
    });
    expect(response.status).toBe(403);
    expect(await pool.requestLogged()).toMatchObject({
      status: 403,
      outcome: "foreign-resource",
      attempts: 3,
    });
    const asked = pool.emulator.calls.recent().map(({ project }) => project);
    expect(asked.toSorted()).toEqual(["p1", "p2", "p3"]);
  });
});

it("a request larger than any minute's quota touches two projects at most and gets the upstream's 429", async () => {
  const quotas = { "gemini-2.5-flash": { tpm: 1000 } };
  const projects = soloProjects(5).map((project) => ({ ...project, quotas }));
  await onPool({ projects }, async (pool) => {
    // About 1,500 tokens: more than the quota, but not so many that the bytes alone prove it.
    const answer = await answerIn(NATIVE, pool, { text: "word ".repeat(1200) });
    expect(answer).toMatchObject({ status: 429, attempts: ["quota-minute", "request-over-quota"] });
    expect(answer.body).toContain("GenerateContentInputTokensPerModelPerMinute-FreeTier");
    expect(pool.emulator.calls.total).toBe(2);
    const small = await answerIn(NATIVE, pool);
    expect(small).toMatchObject({ status: 200, attempts: ["served"] });
  });
});

it("a request whose bytes alone prove it larger than the quota costs one call and no rest", async () => {
  const projects = soloProjects(2).map((project) => ({ ...project, quotas: { "*": { tpm: 1000 } } }));
  await onPool({ projects }, async (pool) => {
    const answer = await answerIn(NATIVE, pool, { text: "word ".repeat(10_000) });
    expect(answer).toMatchObject({ status: 429, attempts: ["request-over-quota"] });
    expect(laneOf(pool, keyOfCall(pool, 0)).kind).toBe("untried");
    // No waiting makes the request smaller; the upstream's own word on when to come back is passed on.
    expect(answer.headers.get("retry-after")).toBe(/"retryDelay": "(\d+)s"/.exec(answer.body)?.[1]);
  });
});

it("with `retry.mode: any-failure` even a bad request goes to other keys, each once", async () => {
  const flags = { "retry-mode": "any-failure" };
  const script = [always({ kind: "error", error: "invalid-argument" })];
  await onPool({ script, flags }, async (pool) => {
    const answer = await answerIn(wayNamed("openai"), pool);
    expect(answer).toMatchObject({ status: 400, attempts: ["caller-fault", "caller-fault", "caller-fault"] });
    expect(
      pool.emulator.calls
        .recent()
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(["test-key-1", "test-key-2", "test-key-3"]);
  });
});
