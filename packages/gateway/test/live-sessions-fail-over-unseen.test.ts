import type { KeyState } from "gemini-emulator/project-spec";
import { GoogleGenAI, Modality } from "@google/genai";
import { afterEach, expect, it } from "vitest";
import { LIVE_MODEL, LiveClient, startLiveUpstream } from "./harness/live.ts";
import { startPool, type Pool } from "./harness/pool.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** Two projects of one key each: whichever is asked first, the other is left. */
const PROJECTS = [
  { name: "alpha", keys: ["test-key-1"] },
  { name: "beta", keys: ["test-key-3"] },
];

async function poolWith(options: Parameters<typeof startPool>[0] = {}): Promise<Pool> {
  return stack.use(await startPool({ projects: PROJECTS, ...options }));
}

const LIVE = ({ path }: { readonly path: string }): boolean => path.startsWith("/ws/");

/** A session that is as if nothing had happened; the attempts it took. */
async function attemptsUnseen(pool: Pool): Promise<number> {
  const client = new LiveClient(pool.url);
  await client.setUp();
  expect(await client.say("hello")).toContain("Hello");
  client.socket.close();
  const row = await pool.requestLogged((each) => LIVE(each) && each.outcome === "served");
  await pool.endsInBalance();
  return row.attempts;
}

it.each<[string, Parameters<Pool["emulator"]["fault"]>[0]["fault"]]>([
  [
    "a bad key",
    { kind: "live-close", code: 1007, reason: "API key not valid. Please pass a valid API key." },
  ],
  ["a suspended key", { kind: "live-close", code: 1008, reason: "Consumer 'api_key:x' has been suspended." }],
  ["a quota", { kind: "error", error: "quota-minute" }],
  ["no credit", { kind: "live-close", code: 1011, reason: "Your prepayment credits are depleted." }],
  ["too many sessions", { kind: "live-close", code: 1011, reason: "Too many concurrent sessions." }],
  ["an overload", { kind: "error", error: "overloaded" }],
  ["a close without a word", { kind: "cut", afterEvents: 0 }],
  ["a break", { kind: "reset" }],
])("goes to the next key at %s", async (_what, fault) => {
  const pool = await poolWith();
  pool.emulator.fault({ times: 1, match: { operation: "live" }, fault });
  expect(await attemptsUnseen(pool)).toBe(2);
});

it.each<[string, Parameters<Pool["emulator"]["fault"]>[0]["fault"]]>([
  ["an error", { kind: "error", error: "overloaded" }],
  ["the suspended key itself", { kind: "suspended-echo" }],
  ["a page", { kind: "html" }],
  ["something that is no WebSocket", { kind: "custom", status: 200, body: "hello" }],
])("goes to the next key when the handshake is answered with %s", async (_what, fault) => {
  const pool = await poolWith();
  pool.emulator.fault({ times: 1, match: { operation: "live.connect" }, fault });
  expect(await attemptsUnseen(pool)).toBe(2);
  for (const { key } of [{ key: "test-key-1" }, { key: "test-key-3" }])
    expect(pool.logLines.join("\n")).not.toContain(key);
});

it("goes on when a session is not set up in time", async () => {
  const pool = await poolWith({ flags: { "live-setup": "300ms" } });
  pool.emulator.fault({ times: 1, fault: { kind: "stall" } });
  expect(await attemptsUnseen(pool)).toBe(2);
});

it("gives an unmodified client a session, whatever the first key is", async () => {
  const pool = await poolWith();
  pool.emulator.fault({ times: 1, fault: { kind: "error", error: "quota-minute" } });
  const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: pool.url } });
  const closes: unknown[] = [];
  const session = await ai.live.connect({
    model: "gemini-live-2.5-flash-preview",
    config: { responseModalities: [Modality.TEXT] },
    callbacks: { onmessage: () => {}, onclose: (event) => closes.push(event) },
  });
  expect(closes).toEqual([]);
  session.close();
});

it("keeps what the client says ahead, and tells the next key", async () => {
  const pool = await poolWith();
  pool.emulator.fault({ times: 1, fault: { kind: "error", error: "overloaded" } });
  const client = new LiveClient(pool.url);
  await client.send({ setup: { model: LIVE_MODEL } });
  await client.send({ realtimeInput: { text: "early" } });
  await client.hears("early");
  expect(pool.emulator.calls.recent()).toHaveLength(2);
  client.socket.close();
});

it.each<[KeyState, RegExp]>([
  ["expired", /^No API key of the gateway is in service\. Retry in \d+s\.$/],
  ["credits-depleted", /^No project behind the gateway has credit left for this request\. Retry in \d+s\.$/],
])("says when to come back if every key is %s", async (state, words) => {
  const pool = await poolWith();
  for (const key of ["test-key-1", "test-key-3"]) pool.emulator.setKeyState(key, state);
  const client = new LiveClient(pool.url);
  await client.send({ setup: { model: LIVE_MODEL } });
  const { code, reason } = await client.ended;
  expect(code).toBe(1011);
  expect(reason).toMatch(words);
  await pool.endsInBalance();
});

it("says the moment at which the quota returns, and asks nobody until then", async () => {
  const pool = await poolWith({ flags: { "lease-max-wait": "0s" } });
  pool.emulator.fault({
    fault: { kind: "live-close", code: 1011, reason: "You exceeded your current quota." },
  });
  const first = new LiveClient(pool.url);
  await first.send({ setup: { model: LIVE_MODEL } });
  await first.ended;
  const calls = pool.emulator.calls.recent().length;
  const second = new LiveClient(pool.url);
  await second.send({ setup: { model: LIVE_MODEL } });
  const { code, reason } = await second.ended;
  expect(code).toBe(1011);
  const [, seconds] = /^The quota of every API key .* Retry in (\d+)s\.$/.exec(reason) ?? [];
  expect(Number(seconds)).toBeGreaterThan(50);
  expect(Number(seconds)).toBeLessThanOrEqual(61);
  expect(pool.emulator.calls.recent()).toHaveLength(calls);
  // Live alone is out of quota: the model's other calls have a lane of their own.
  expect(pool.keyView("test-key-1").lanes.map(({ model }) => model)).toEqual([
    "gemini-live-2.5-flash-preview:bidiGenerateContent",
  ]);
});

it("passes on what is the caller's own fault, at one attempt", async () => {
  const pool = await poolWith();
  const client = new LiveClient(pool.url);
  await client.send({ setup: { model: "models/gemini-2.5-flash" } });
  expect(await client.ended).toMatchObject({
    code: 1008,
    reason: expect.stringMatching(/^models\/gemini-2\.5-flash is not found/) as string,
  });
  expect(await pool.requestLogged(LIVE)).toMatchObject({ outcome: "caller-fault", attempts: 1 });
  await pool.endsInBalance();
});

it("ends a trial when the session is set up, not when it is over", async () => {
  const pool = await poolWith({
    projects: [{ name: "alpha", keys: ["test-key-1"] }],
    flags: { "rest-key-dead": "1s", "retry-attempts": 1 },
  });
  const bad = { kind: "live-close", code: 1007, reason: "API key not valid." } as const;
  pool.emulator.fault({ times: 1, fault: bad });
  const failed = new LiveClient(pool.url);
  await failed.send({ setup: { model: LIVE_MODEL } });
  await failed.ended;
  await expect.poll(() => pool.keyView("test-key-1").health.kind).toBe("dead");
  const trying = async (): Promise<LiveClient> => {
    const client = new LiveClient(pool.url);
    await client.setUp();
    return client;
  };
  let trial: LiveClient | undefined;
  await expect
    .poll(async () => (trial = await trying().catch(() => undefined)), { timeout: 10_000 })
    .toBeDefined();
  await expect.poll(() => pool.keyView("test-key-1").health.kind).toBe("good");
  // The trial still talks; another session is let in beside it.
  const other = await trying();
  await trial?.send({ realtimeInput: { text: "here" } });
  await trial?.hears("here");
  for (const client of [trial, other]) client?.socket.close();
  await pool.endsInBalance();
});

it("leaves nothing open at the keys that failed", async () => {
  const upstream = stack.use(
    await startLiveUpstream((socket) => {
      socket.once("message", () => socket.close(1011, "Internal error encountered."));
    }),
  );
  const pool = await poolWith({ upstream: upstream.url });
  const client = new LiveClient(pool.url);
  await client.send({ setup: { model: LIVE_MODEL } });
  expect((await client.ended).code).toBe(1011);
  await expect.poll(() => upstream.open).toBe(0);
  await pool.endsInBalance();
});
