import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import type { Emulator } from "../src/emulator.ts";
import type { KeyState } from "../src/project-spec.ts";
import { selfSignedCertificate } from "../src/self-signed.ts";
import { CONSTRAINED_PATH, LIVE_MODEL, LIVE_PATH, LiveClient } from "./live-client.ts";
import { ALPHA, BETA, made, startProjects } from "./projects.ts";
import type { Json } from "./projects.ts";

describe("talks Live", () => {
  it("in binary frames: setup, turns, usage, a clean end, all in the log", async () => {
    await using emulator = await startProjects();
    const client = new LiveClient(emulator);
    await client.setUp();
    expect(await client.say("hello")).toBe('Hello from project alpha: you said "hello"');
    expect(await client.say("again")).toContain("again");
    expect(client.allBinary).toBe(true);
    expect(emulator.live.sessions).toBe(1);
    client.close();
    expect((await client.ended).wasClean).toBe(true);
    const call = await emulator.waitForCall(({ phase }) => phase === "done");
    expect(call).toMatchObject({
      key: ALPHA,
      project: "alpha",
      operation: "live",
      model: "gemini-live-2.5-flash-preview",
      status: 101,
      closeCode: 1005,
      aborted: false,
      events: 13,
    });
    expect([emulator.live.sessions, emulator.calls.byKey(ALPHA)]).toEqual([0, 1]);
  });

  it.each([
    ["two slashes and v1", `/${LIVE_PATH.replace("v1beta", "v1")}`, {}],
    ["a key in the header", LIVE_PATH.replace(/\?.*/, ""), { "x-goog-api-key": ALPHA }],
  ])("with %s", async (_what, path, headers) => {
    await using emulator = await startProjects();
    const client = new LiveClient(emulator, path, headers);
    await client.setUp();
    expect(await client.say("hi")).toContain("project alpha");
    client.close();
  });

  it("of audio, which it only counts, and in audio, with a transcription", async () => {
    await using emulator = await startProjects();
    const client = new LiveClient(emulator);
    await client.setUp({ generationConfig: { responseModalities: ["AUDIO"] }, outputAudioTranscription: {} });
    await client.send({ realtimeInput: { audio: { data: "AAAA", mimeType: "audio/pcm;rate=16000" } } });
    await client.send({ realtimeInput: { audioStreamEnd: true } });
    expect(JSON.stringify(await client.next("serverContent"))).toContain("audio/pcm;rate=24000");
    expect(JSON.stringify(await client.next("serverContent"))).toContain("outputTranscription");
    client.close();
  });

  it("calls tools, and goes on with what they answer", async () => {
    await using emulator = await startProjects();
    const client = new LiveClient(emulator);
    await client.setUp({ tools: [{ functionDeclarations: [{ name: "look" }] }] });
    await client.send({ realtimeInput: { text: "call look" } });
    expect(await client.next("toolCall")).toMatchObject({ toolCall: { functionCalls: [{ name: "look" }] } });
    await client.send({ toolResponse: { functionResponses: [{ name: "look", response: { found: 1 } }] } });
    expect(await client.heard()).toBe('Project alpha got the tool\'s answer: {"found":1}');
    client.close();
  });

  it("resumes by handle within the project, and not in another", async () => {
    await using emulator = await startProjects();
    const first = new LiveClient(emulator);
    await first.send({ setup: { model: LIVE_MODEL, sessionResumption: {} } });
    const { sessionResumptionUpdate } = await first.next("sessionResumptionUpdate");
    const { newHandle: handle, resumable } = sessionResumptionUpdate as {
      newHandle: string;
      resumable: boolean;
    };
    expect(resumable).toBe(true);
    first.close();
    const second = new LiveClient(emulator, LIVE_PATH.replace(ALPHA, "test-key-2"));
    await second.setUp({ sessionResumption: { handle } });
    second.close();
    const foreign = new LiveClient(emulator, LIVE_PATH.replace(ALPHA, BETA));
    await foreign.send({ setup: { model: LIVE_MODEL, sessionResumption: { handle } } });
    expect(await foreign.ended).toMatchObject({
      code: 1008,
      reason: "BidiGenerateContent session not found.",
    });
    expect(emulator.calls.foreignHits).toBe(1);
  });

  it("says goAway, pings and closes on demand", async () => {
    await using emulator = await startProjects();
    const client = new LiveClient(emulator);
    await client.setUp();
    emulator.live.ping();
    emulator.live.goAway(7);
    expect(await client.next("goAway")).toEqual({ goAway: { timeLeft: "7s" } });
    emulator.live.closeAll(1011, "Deadline expired before operation could complete.");
    expect(await client.ended).toMatchObject({
      code: 1011,
      reason: expect.stringMatching(/Deadline/) as string,
    });
  });

  it("over TLS too", async () => {
    const tls = selfSignedCertificate(Date.now());
    await using emulator = await startProjects({ tls });
    const { connect: connectTls } = await import("node:tls");
    const socket = connectTls({
      port: emulator.port,
      host: "127.0.0.1",
      ca: tls.cert,
      ALPNProtocols: ["http/1.1"],
    });
    await once(socket, "secureConnect");
    socket.write(handshake(LIVE_PATH));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
    socket.destroy();
  });
});

describe("lets ephemeral tokens in", () => {
  async function token(emulator: Emulator, body: Json): Promise<string> {
    return String((await made(emulator, "/v1alpha/auth_tokens", { body }))["name"]);
  }

  it("as often as they say, on the constrained path, by query or header", async () => {
    await using emulator = await startProjects();
    const name = await token(emulator, { uses: 2 });
    expect(name).toMatch(/^auth_tokens\//);
    const byQuery = new LiveClient(emulator, `/${CONSTRAINED_PATH}?access_token=${name}`);
    await byQuery.setUp();
    const byHeader = new LiveClient(emulator, CONSTRAINED_PATH, { authorization: `Token ${name}` });
    await byHeader.setUp();
    expect(await byHeader.say("hi")).toContain("project alpha");
    const third = new LiveClient(emulator, `${CONSTRAINED_PATH}?access_token=${name}`);
    await third.send({ setup: { model: LIVE_MODEL } });
    expect(await third.ended).toMatchObject({ code: 1008, reason: expect.stringMatching(/Token/) as string });
  });

  it("and neither a made-up one, nor one on the plain path, nor a key on theirs", async () => {
    await using emulator = await startProjects();
    const name = await token(emulator, { uses: 1 });
    for (const path of [
      `${CONSTRAINED_PATH}?access_token=auth_tokens/nonsense`,
      LIVE_PATH.replace(/key=.*/, `access_token=${name}`),
      `${CONSTRAINED_PATH}?key=${ALPHA}`,
    ]) {
      expect((await new LiveClient(emulator, path).ended).code).toBe(1008);
    }
  });
});

describe("refuses with close frames", () => {
  async function endOf(
    emulator: Emulator,
    setup: object = { model: LIVE_MODEL },
    path = LIVE_PATH,
  ): Promise<unknown> {
    const client = new LiveClient(emulator, path);
    await client.send({ setup });
    const { code, reason } = await client.ended;
    return { code, reason };
  }

  it("a bad key, an unknown model, a message before the setup", async () => {
    await using emulator = await startProjects();
    const bad = new LiveClient(emulator, LIVE_PATH.replace(ALPHA, "nonsense"));
    expect(await bad.ended).toMatchObject({
      code: 1007,
      reason: "API key not valid. Please pass a valid API key.",
    });
    expect(await endOf(emulator, { model: "models/gemini-2.5-flash" })).toMatchObject({
      code: 1008,
      reason: expect.stringMatching(
        /^models\/gemini-2\.5-flash is not found for API version v1beta/,
      ) as string,
    });
    const early = new LiveClient(emulator);
    await early.send({ clientContent: {} });
    expect((await early.ended).code).toBe(1007);
  });

  it.each<[KeyState, number, RegExp]>([
    ["suspended", 1008, /has been suspended/],
    ["leaked", 1008, /reported as leaked/],
    ["expired", 1007, /API key expired/],
    ["credits-depleted", 1011, /^Your prepayment credits are depleted/],
    ["spending-cap", 1011, /monthly spending cap/],
  ])("a key that is %s: %i", async (state, code, reason) => {
    await using emulator = await startProjects();
    emulator.setKeyState(ALPHA, state);
    expect(await endOf(emulator)).toMatchObject({ code, reason: expect.stringMatching(reason) as string });
  });

  it("a spent quota, and one session too many", async () => {
    const keys = [ALPHA];
    await using spent = await startProjects({
      projects: [{ name: "alpha", keys, quotas: { "*": { rpm: 0 } } }],
    });
    expect(await endOf(spent)).toMatchObject({
      code: 1011,
      reason: expect.stringMatching(/^You exceeded your current quota/) as string,
    });
    await using narrow = await startProjects({ projects: [{ name: "alpha", keys, liveSessions: 1 }] });
    const first = new LiveClient(narrow);
    await first.setUp();
    expect(await endOf(narrow)).toMatchObject({ code: 1011 });
    first.close();
    await narrow.waitUntil(({ live }) => live.sessions === 0);
    await new LiveClient(narrow).setUp();
  });

  it("no credential and two with an HTTP answer, as it does other paths", async () => {
    await using emulator = await startProjects();
    const bare = LIVE_PATH.replace(/\?.*/, "");
    for (const [path, status] of [
      [bare, 403],
      ["/v1beta/models", 404],
    ] as const) {
      expect(await statusOf(emulator, handshake(path))).toBe(status);
    }
    expect(await statusOf(emulator, handshake(LIVE_PATH, "x-goog-api-key: test-key-2\r\n"))).toBe(400);
    expect(await statusOf(emulator, handshake(LIVE_PATH).replace("Version: 13", "Version: 8"))).toBe(400);
  });
});

describe("obeys fault scripts in Live sessions", () => {
  it("closes before setupComplete with any code, as often as the rule says", async () => {
    await using emulator = await startProjects();
    emulator.fault({
      times: 1,
      match: { project: "alpha" },
      fault: { kind: "live-close", code: 1011, reason: "overloaded" },
    });
    const client = new LiveClient(emulator);
    await client.send({ setup: { model: LIVE_MODEL } });
    expect(await client.ended).toMatchObject({ code: 1011, reason: "overloaded" });
    const call = await emulator.waitForCall(({ phase }) => phase === "done");
    expect(call).toMatchObject({ events: 0, closeCode: 1011, faults: ["live-close"] });
    await new LiveClient(emulator).setUp();
  });

  it("error: the named one as a close", async () => {
    await using emulator = await startProjects();
    emulator.fault({ match: { operation: "live" }, fault: { kind: "error", error: "overloaded" } });
    const client = new LiveClient(emulator);
    await client.send({ setup: { model: LIVE_MODEL } });
    expect(await client.ended).toMatchObject({
      code: 1011,
      reason: expect.stringMatching(/overloaded/) as string,
    });
  });

  it("stalls until released", async () => {
    await using emulator = await startProjects();
    const undo = emulator.fault({ fault: { kind: "stall" } });
    const client = new LiveClient(emulator);
    await client.send({ setup: { model: LIVE_MODEL } });
    const call = await emulator.waitForCall(({ phase }) => phase === "held");
    expect(call.events).toBe(0);
    undo();
    await client.next("setupComplete");
    expect(call).toMatchObject({ phase: "answering", events: 1 });
    client.close();
  });

  it("resets in the middle of a turn, says goAway after setupComplete, cuts in order", async () => {
    await using emulator = await startProjects();
    emulator.fault({ match: { key: ALPHA }, fault: { kind: "reset", afterEvents: 2 } });
    const broken = new LiveClient(emulator);
    await broken.setUp();
    await broken.send({ realtimeInput: { text: "hi" } });
    expect((await broken.ended).wasClean).toBe(false);
    emulator.clearFaults();
    emulator.fault({ fault: { kind: "live-go-away", timeLeftSeconds: 3 } });
    emulator.fault({ fault: { kind: "cut", afterEvents: 2 } });
    const warned = new LiveClient(emulator);
    await warned.setUp();
    expect(await warned.next("goAway")).toEqual({ goAway: { timeLeft: "3s" } });
    await warned.send({ realtimeInput: { text: "hi" } });
    expect(await warned.ended).toMatchObject({ code: 1000, wasClean: true });
  });

  it("answers the handshake itself with an error when the rule names it", async () => {
    await using emulator = await startProjects();
    emulator.fault({
      times: 1,
      match: { operation: "live.connect" },
      fault: { kind: "error", error: "overloaded" },
    });
    expect(await statusOf(emulator, handshake(LIVE_PATH))).toBe(503);
    await new LiveClient(emulator).setUp();
  });

  it("waits with setupComplete as long as it is told", async () => {
    await using emulator = await startProjects({
      script: [{ fault: { kind: "slow-first-byte", delayMs: 20 } }],
    });
    const client = new LiveClient(emulator);
    await client.opened;
    const askedAtMs = performance.now();
    await client.setUp();
    expect(performance.now() - askedAtMs).toBeGreaterThan(10);
    client.close();
  });
});

describe("keeps the rules of WebSocket", () => {
  it("closes on an unmasked frame with 1002, and lets go of a client that just leaves", async () => {
    await using emulator = await startProjects();
    const socket = connect(emulator.port, "127.0.0.1");
    const bytes: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => bytes.push(chunk));
    // Handshake and first frame in one packet: what comes behind the handshake is not lost.
    socket.write(Buffer.concat([Buffer.from(handshake(LIVE_PATH)), Buffer.from([0x81, 1, 0x78])]));
    const call = await emulator.waitForCall(({ status }) => status === 101);
    while (!Buffer.concat(bytes).includes(Buffer.from([0x88]))) await once(socket, "data");
    const close = Buffer.concat(bytes).subarray(Buffer.concat(bytes).indexOf("\r\n\r\n") + 4);
    expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 1002]);
    socket.destroy();
    await emulator.waitUntil(({ live }) => live.sessions === 0);
    expect(call).toMatchObject({ closeCode: 1002, aborted: true });
  });

  it("holds a thousand sessions at once", { timeout: 60_000 }, async () => {
    await using emulator = await startProjects();
    const clients = Array.from({ length: 1000 }, () => new LiveClient(emulator));
    await Promise.all(clients.map((client) => client.setUp()));
    expect(emulator.live.sessions).toBe(1000);
    emulator.live.goAway(1);
    await Promise.all(clients.map((client) => client.next("goAway")));
    for (const client of clients) client.close();
    await Promise.all(clients.map(({ ended }) => ended));
  });
});

function handshake(path: string, more = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: emulator\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\n${more}\r\n`;
}

async function statusOf(emulator: Emulator, request: string): Promise<number> {
  const socket = connect(emulator.port, "127.0.0.1");
  socket.write(request);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer.toString())?.[1]);
}
