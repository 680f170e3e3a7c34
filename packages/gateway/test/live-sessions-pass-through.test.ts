import { GoogleGenAI, Modality, type LiveServerMessage, type Session } from "@google/genai";
import { GoogleGenAI as OlderGoogleGenAI, Modality as OlderModality } from "@google/genai-1";
import { afterEach, describe, expect, it } from "vitest";
import {
  afterSetup,
  CONSTRAINED_PATH,
  LIVE_MODEL,
  LIVE_PATH,
  LiveClient,
  startLiveUpstream,
} from "./harness/live.ts";
import { startConnectProxy } from "./harness/connect-proxy.ts";
import { startPool, type Pool } from "./harness/pool.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function poolWith(options: Parameters<typeof startPool>[0] = {}): Promise<Pool> {
  return stack.use(await startPool(options));
}

const LIVE = ({ path }: { readonly path: string }): boolean => path.startsWith("/ws/");

interface Talk {
  readonly session: Session;
  readonly next: () => Promise<LiveServerMessage>;
}

async function talk(ai: GoogleGenAI): Promise<Talk> {
  const messages: LiveServerMessage[] = [];
  let wake = (): void => {};
  const session = await ai.live.connect({
    model: "gemini-live-2.5-flash-preview",
    config: { responseModalities: [Modality.TEXT] },
    callbacks: {
      onmessage: (message) => {
        messages.push(message);
        wake();
      },
    },
  });
  const next = async (): Promise<LiveServerMessage> => {
    for (;;) {
      const message = messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { session, next };
}

async function heard({ next }: Talk): Promise<string> {
  let said = "";
  for (;;) {
    const { serverContent } = await next();
    said += (serverContent?.modelTurn?.parts ?? []).map(({ text = "" }) => text).join("");
    if (serverContent?.turnComplete === true) return said;
  }
}

describe("an unmodified client of Google's", () => {
  it.each([
    ["at the root", {}],
    ["below a path prefix", { "path-prefix": "/gw" }],
  ])("talks and listens %s, and leaves one row", async (_where, flags: Readonly<Record<string, string>>) => {
    const pool = await poolWith({ flags });
    const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: pool.url } });
    const live = await talk(ai);
    live.session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "hello" }] }] });
    expect(await heard(live)).toMatch(/^Hello from project \w+: you said "hello"$/);
    live.session.sendRealtimeInput({ text: "again" });
    expect(await heard(live)).toContain("again");
    live.session.close();
    const row = await pool.requestLogged(LIVE);
    expect(row).toMatchObject({
      method: "GET",
      path: "/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent",
      model: "gemini-live-2.5-flash-preview",
      status: 101,
      outcome: "served",
      attempts: 1,
    });
    expect(row.bytesIn).toBeGreaterThan(100);
    expect(row.bytesOut).toBeGreaterThan(300);
    expect(row.totalTokens).toBe(row.promptTokens + row.outputTokens);
    expect(row.outputTokens).toBeGreaterThan(0);
    expect(pool.emulator.calls.recent().map(({ operation }) => operation)).toEqual(["live"]);
    await pool.endsInBalance();
  });

  it("of the generation before is served too", async () => {
    const pool = await poolWith();
    const ai = new OlderGoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: pool.url } });
    const said: string[] = [];
    const session = await ai.live.connect({
      model: "gemini-live-2.5-flash-preview",
      config: { responseModalities: [OlderModality.TEXT] },
      callbacks: { onmessage: ({ text }) => said.push(text ?? "") },
    });
    session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "hello" }] }] });
    await expect.poll(() => said.join("")).toContain('you said "hello"');
    session.close();
    expect((await pool.requestLogged(LIVE)).path).toContain(".v1beta.");
  });

  it("with an ephemeral token, which is all that goes out", async () => {
    const pool = await poolWith();
    const made = await fetch(`${pool.emulator.url}/v1alpha/auth_tokens`, {
      method: "POST",
      headers: { "x-goog-api-key": "test-key-3", "content-type": "application/json" },
      body: JSON.stringify({ uses: 2 }),
    });
    const { name } = (await made.json()) as { readonly name: string };
    const httpOptions = { baseUrl: pool.url, apiVersion: "v1alpha" };
    const live = await talk(new GoogleGenAI({ apiKey: name, httpOptions }));
    live.session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "hello" }] }] });
    expect(await heard(live)).toContain("project beta");
    live.session.close();
    const byHeader = new LiveClient(pool.url, CONSTRAINED_PATH, { authorization: `Token ${name}` });
    await byHeader.setUp();
    byHeader.socket.close();
    const row = await pool.requestLogged(LIVE);
    expect(row).toMatchObject({ outcome: "served", attempts: 0, key: "" });
    expect(pool.logLines.join("\n")).not.toContain(name);
    await pool.endsInBalance();
  });
});

describe("passes on", () => {
  it("every message in its kind and order, whole and in fragments, both ways", async () => {
    const upstream = stack.use(
      await startLiveUpstream(
        afterSetup((socket, data, isBinary) => socket.send(data, { binary: isBinary })),
      ),
    );
    const pool = await poolWith({ upstream: upstream.url });
    const client = new LiveClient(pool.url);
    await client.setUp();
    const large = "ä".repeat(500_000);
    client.socket.send("text");
    client.socket.send(Buffer.from("binary"));
    client.socket.send("in ", { fin: false });
    client.socket.send("parts", { fin: true });
    client.socket.send("", { binary: true });
    client.socket.send(large);
    const received = [];
    for (let count = 0; count < 5; count += 1) received.push(await client.receive());
    expect(received).toEqual([
      { text: "text", isBinary: false },
      { text: "binary", isBinary: true },
      { text: "in parts", isBinary: false },
      { text: "", isBinary: true },
      { text: large, isBinary: false },
    ]);
    client.socket.close(4001, "enough");
    expect((await pool.requestLogged(LIVE)).outcome).toBe("served");
    await expect.poll(() => upstream.open).toBe(0);
  });

  it.each([
    ["gateway", "https://generativelanguage.googleapis.com"],
    ["google", undefined],
  ])("files under the gateway's address as Google's with --file-uris %s", async (fileUris, origin) => {
    const heardSetups: string[] = [];
    const upstream = stack.use(
      await startLiveUpstream((socket) => {
        socket.once("message", (data: Buffer) => {
          heardSetups.push(data.toString());
          socket.send('{"setupComplete":{}}');
          socket.on("message", (said: Buffer, isBinary) => socket.send(said, { binary: isBinary }));
        });
      }),
    );
    const pool = await poolWith({
      upstream: upstream.url,
      flags: { "path-prefix": "/gw", "file-uris": fileUris },
    });
    const uri = `${pool.url}/v1beta/files/abc`;
    const asHeard = `${origin ?? pool.url}/v1beta/files/abc`;
    const part = (fileUri: string, text: string) => ({ parts: [{ fileData: { fileUri } }, { text }] });
    const client = new LiveClient(pool.url);
    await client.setUp({ systemInstruction: part(uri, uri) });
    expect(JSON.parse(heardSetups.join())).toMatchObject({
      setup: { systemInstruction: part(asHeard, uri) },
    });
    for (const isBinary of [false, true]) {
      const said = (fileUri: string) =>
        JSON.stringify({ clientContent: { turns: [part(fileUri, `see ${uri}`)] } });
      client.socket.send(said(uri), { binary: isBinary });
      expect(await client.receive()).toEqual({ text: said(asHeard), isBinary });
    }
    client.socket.close();
  });

  it("one credential, the right host, and nothing about the caller", async () => {
    const upstream = stack.use(await startLiveUpstream(afterSetup(() => {})));
    const pool = await poolWith({ upstream: `${upstream.url}/base`, keyFile: "test-key-1\n" });
    const client = new LiveClient(pool.url, `${LIVE_PATH}?key=mine&alt=x`, {
      "x-goog-api-key": "mine",
      "x-goog-api-client": "some-sdk/1",
      "x-forwarded-for": "10.0.0.1",
      origin: "http://localhost",
      cookie: "a=b",
    });
    await client.setUp();
    const [{ url, headers } = { url: "", headers: {} }] = upstream.handshakes;
    expect(url).toBe(`/base${LIVE_PATH}?alt=x`);
    expect(headers).toMatchObject({
      host: new URL(upstream.url).host,
      "x-goog-api-key": "test-key-1",
      "x-goog-api-client": "some-sdk/1",
    });
    expect(Object.keys(headers).toSorted()).toEqual([
      "connection",
      "host",
      "sec-websocket-key",
      "sec-websocket-version",
      "upgrade",
      "x-goog-api-client",
      "x-goog-api-key",
    ]);
    client.socket.close();
  });

  it("a close of the upstream with its code and reason, but never the key", async () => {
    const upstream = stack.use(
      await startLiveUpstream(
        afterSetup((socket) => {
          socket.send("you have test-key-1");
          socket.close(1011, "Consumer 'api_key:test-key-1' is tired.");
        }),
      ),
    );
    const pool = await poolWith({ upstream: upstream.url, keyFile: "test-key-1\n" });
    const client = new LiveClient(pool.url);
    await client.setUp();
    client.socket.send("go");
    expect((await client.receive()).text).toBe("you have **********");
    expect(await client.ended).toEqual({ code: 1011, reason: "Consumer 'api_key:[redacted]' is tired." });
    const row = await pool.requestLogged(LIVE);
    expect(row).toMatchObject({ outcome: "overloaded", reason: "close 1011", attempts: 1 });
    expect(pool.logLines.join("\n")).not.toContain("test-key-1");
    await pool.endsInBalance();
  });

  it("goAway, and a clean close behind it", async () => {
    const pool = await poolWith();
    const client = new LiveClient(pool.url);
    await client.setUp();
    pool.emulator.live.goAway(7);
    expect(await client.next("goAway")).toEqual({ goAway: { timeLeft: "7s" } });
    pool.emulator.live.closeAll(1000, "");
    expect(await client.ended).toEqual({ code: 1000, reason: "" });
    expect((await pool.requestLogged(LIVE)).outcome).toBe("served");
  });

  it("the break of the upstream as a close with the gateway's own words", async () => {
    const upstream = stack.use(await startLiveUpstream(afterSetup((socket) => socket.terminate())));
    const pool = await poolWith({ upstream: upstream.url });
    const client = new LiveClient(pool.url);
    await client.setUp();
    client.socket.send("go");
    expect(await client.ended).toEqual({ code: 1011, reason: "The Gemini API broke off its answer." });
    expect((await pool.requestLogged(LIVE)).outcome).toBe("broken");
  });

  it("all through the operator's proxy", async () => {
    const proxy = stack.use(await startConnectProxy());
    const pool = await poolWith({ flags: { proxy: proxy.url.href } });
    const client = new LiveClient(pool.url);
    await client.setUp();
    expect(await client.say("hello")).toContain("Hello");
    expect(proxy.requests).toHaveLength(1);
    client.socket.close();
  });
});

it("frees the upstream when the client just leaves, before and after the setup", async () => {
  const pool = await poolWith();
  pool.emulator.fault({ times: 1, fault: { kind: "stall" } });
  const early = new LiveClient(pool.url);
  await early.send({ setup: { model: LIVE_MODEL } });
  await pool.emulator.waitForCall(({ phase }) => phase === "held");
  early.socket.terminate();
  await pool.emulator.waitUntil(({ live }) => live.sessions === 0);
  const late = new LiveClient(pool.url);
  await late.setUp();
  late.socket.terminate();
  await pool.emulator.waitUntil(({ live }) => live.sessions === 0);
  expect((await pool.requestLogged(LIVE)).outcome).toBe("caller-left");
  await pool.endsInBalance();
});
