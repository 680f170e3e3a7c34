/** `fileUris: gateway` reaches what passes through: streams of every native kind, events of Interactions, long JSON. */
import { expect, it } from "vitest";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import { asked, type Answered, type Asked, type Json } from "./harness/owned-things.ts";
import { startPool, type Pool, type PoolOptions } from "./harness/pool.ts";
import { RawClient } from "./harness/raw-client.ts";
import { chunkOf, headOf, startRawUpstream, writePieces, type UpstreamCall } from "./harness/raw-upstream.ts";
import { askStream, eventsOf, MODEL } from "./harness/requests.ts";

const GOOGLE = "https://generativelanguage.googleapis.com";
const GATEWAYS = { "file-uris": "gateway" } as const;
const MODEL_PATH = `/v1beta/models/${MODEL}`;
const MEBIBYTE = 1_048_576;
/** What the kernel may hold of one answer on its two connections, and what the gateway may: far below what is offered. */
const TAKEN_BYTES_MAX = 40 * MEBIBYTE;

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: fiveProjects(2), flags: GATEWAYS, ...options });
}

function generation(verb: string, parts: readonly object[]): Asked {
  return { method: "POST", path: `${MODEL_PATH}:${verb}`, body: { contents: [{ role: "user", parts }] } };
}

function interaction(input: unknown, stream: boolean): Asked {
  return { method: "POST", path: "/v1/interactions", body: { model: MODEL, input, stream } };
}

/** The values of all fields in which answers name files. */
function urisIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, held]) =>
    (key === "fileUri" || key === "uri") && typeof held === "string" ? [held] : urisIn(held),
  );
}

function dataOf(text: string): Json[] {
  return eventsOf(text.replaceAll(/^event: .*\n/gm, "")) as Json[];
}

interface Way {
  readonly ask: (text: string) => Asked;
  readonly read: (answer: Answered) => unknown;
  /** How the client gives a file back. */
  readonly use: (uri: string) => Asked;
}

const prompt = "make 2 files";
const camel = (uri: string): Asked =>
  generation("generateContent", [{ text: "hi" }, { fileData: { fileUri: uri, mimeType: "text/plain" } }]);
const snake = (uri: string): Asked =>
  generation("streamGenerateContent?alt=sse", [
    { text: "hi" },
    { file_data: { mime_type: "text/plain", file_uri: uri } },
  ]);

const WAYS: Readonly<Record<string, Way>> = {
  "whole JSON, which streams have to equal": {
    ask: (text) => generation("generateContent", [{ text }]),
    read: ({ json }) => json,
    use: camel,
  },
  "server-sent events": {
    ask: (text) => generation("streamGenerateContent?alt=sse", [{ text }]),
    read: ({ text }) => eventsOf(text),
    use: snake,
  },
  "a streamed JSON array": {
    ask: (text) => generation("streamGenerateContent", [{ text }]),
    read: ({ text }) => JSON.parse(text) as unknown,
    use: camel,
  },
  "events of Interactions": {
    ask: (text) => interaction(text, true),
    read: ({ text }) => dataOf(text),
    use: (uri) =>
      interaction(
        [
          { type: "text", text: "hi" },
          { type: "document", uri },
        ],
        true,
      ),
  },
};

const NAMES = Object.keys(WAYS);

it.each(NAMES.flatMap((name) => [0, 7].map((bytes) => [name, bytes] as const)))(
  "%s: an address of the gateway, which leads to the file's owner (pieces of %i bytes)",
  async (name, bytes) => {
    const { ask: request, read, use } = WAYS[name] as Way;
    const pool = await poolWith();
    if (bytes > 0) pool.emulator.fault({ fault: { kind: "bytewise", bytes }, times: 1 });
    const answer = await asked(pool.url, request(prompt));
    expect(answer.status).toBe(200);
    const uris = [...new Set(urisIn(read(answer)))];
    expect(uris).toHaveLength(2);
    expect(answer.text).not.toContain(GOOGLE);
    const bytesOut = Buffer.byteLength(answer.text);
    expect(await pool.requestLogged()).toMatchObject({ outcome: "served", bytesOut });
    const maker = pool.emulator.calls.recent().at(-1)?.project ?? "none";
    for (const uri of uris) {
      const file = uri.slice(`${pool.url}/v1beta/`.length);
      expect([uri, pool.emulator.ownerOf(file)]).toEqual([`${pool.url}/v1beta/${file}`, maker]);
      expect((await asked(pool.url, use(uri))).status).toBe(200);
      expect((await asked(pool.url, { method: "GET", path: `/v1beta/${file}` })).json["uri"]).toBe(uri);
      const { foreignHits } = pool.emulator.calls;
      expect((await asked(pool.url, use(uri))).status).toBe(200);
      expect(pool.emulator.calls.foreignHits).toBe(foreignHits);
    }
    await pool.endsInBalance();
  },
);

it("learns from what an interaction streams before its client has the addresses: no call misses", async () => {
  const pool = await poolWith();
  const way = WAYS["events of Interactions"] as Way;
  for (let round = 0; round < 5; round += 1) {
    const answer = await asked(pool.url, way.ask(prompt));
    for (const uri of new Set(urisIn(way.read(answer)))) await asked(pool.url, camel(uri));
    const [created = {}] = dataOf(answer.text);
    const { id } = created["interaction"] as Json;
    const again = await asked(pool.url, {
      method: "GET",
      path: `/v1/interactions/${String(id)}?stream=true`,
    });
    expect(dataOf(again.text)).toEqual(dataOf(answer.text));
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
});

it.each(NAMES)("stays Google's by default: %s", async (name) => {
  const { ask: request, read, use } = WAYS[name] as Way;
  const pool = await poolWith({ flags: {} });
  const uris = urisIn(read(await asked(pool.url, request(prompt))));
  for (const uri of uris) {
    expect(uri.startsWith(`${GOOGLE}/v1beta/files/`)).toBe(true);
    expect((await asked(pool.url, use(uri))).status).toBe(200);
  }
  expect(uris.length).toBeGreaterThan(1);
});

it("in JSON too long to be kept whole: of another length than the upstream said", async () => {
  const pool = await poolWith({ flags: { ...GATEWAYS, "limits-peek": "1KB" } });
  const text = "stream 1 events every 0 ms of 20000 bytes, and make 1 file";
  const answer = await asked(pool.url, generation("generateContent", [{ text }]));
  const [uri = ""] = urisIn(answer.json);
  expect(uri.startsWith(`${pool.url}/v1beta/files/`)).toBe(true);
  expect(answer.headers.get("content-length")).toBeNull();
});

it("what a model says of addresses is not changed", async () => {
  const pool = await poolWith();
  const said = `{"uri": "${GOOGLE}/v1beta/files/a"}`;
  for (const verb of ["streamGenerateContent?alt=sse", "streamGenerateContent"]) {
    const { text } = await asked(pool.url, generation(verb, [{ text: `stream 1 events: ${said}` }]));
    expect(text).toContain(`${GOOGLE}/v1beta/files/a`);
    expect(text).not.toContain(pool.url);
  }
});

function event(uri: string, filler = ""): string {
  const part = { fileData: { mimeType: "text/plain", fileUri: uri } };
  return `data: ${JSON.stringify({ candidates: [{ content: { parts: [part, { text: filler }] } }] })}\r\n\r\n`;
}

const URI = `${GOOGLE}/v1beta/files/abc`;

it("ends as it would have when the upstream breaks off in the middle of an address", async () => {
  const first = event(URI);
  const broken = first.slice(0, first.indexOf("googleapis"));
  const head = headOf(200, ["content-type: text/event-stream", "transfer-encoding: chunked"]);
  await using upstream = await startRawUpstream(async ({ socket }) => {
    await writePieces(socket, [head, chunkOf(Buffer.from(first)), chunkOf(Buffer.from(broken))]);
    socket.end();
  });
  const texts: string[] = [];
  for (const flags of [{}, GATEWAYS]) {
    await using pool = await startPool({ upstream: upstream.url, flags: { workers: 1, ...flags } });
    texts.push((await (await askStream(pool.url)).text()).replaceAll(pool.url, GOOGLE));
    await pool.endsInBalance();
  }
  expect(texts[0]).toContain(`${first}${broken}\r\n\r\ndata: {"error"`);
  expect(texts[1]).toBe(texts[0]);
});

/** Sends events as fast as they are taken; resolves with the bytes taken when the connection has closed. */
async function offer({ socket, closed }: UpstreamCall, pieces: number): Promise<number> {
  socket.write(headOf(200, ["content-type: text/event-stream", "transfer-encoding: chunked"]));
  const piece = chunkOf(Buffer.from(event(URI, "x".repeat(MEBIBYTE))));
  for (let count = 0; count < pieces && !socket.destroyed; count += 1) {
    if (!socket.write(piece))
      await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
  await closed;
  return socket.bytesWritten - socket.writableLength;
}

it("holds back the upstream for a client that reads nothing", async () => {
  const taken = Promise.withResolvers<number>();
  await using upstream = await startRawUpstream((call) => void offer(call, 128).then(taken.resolve));
  await using pool = await startPool({
    upstream: upstream.url,
    flags: { workers: 1, "timeouts-client-stall": "1s", ...GATEWAYS },
  });
  using client = await RawClient.open(pool.gateway.port);
  client.socket.pause();
  client.write(
    `POST ${MODEL_PATH}:streamGenerateContent?alt=sse HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}`,
  );
  expect(await taken.promise).toBeLessThan(TAKEN_BYTES_MAX);
  const row = await pool.requestLogged();
  expect(row.outcome).toBe("caller-left");
  expect(row.bytesOut).toBeGreaterThan(MEBIBYTE);
});
