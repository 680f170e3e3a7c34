/** Uploads through the gateway: whoever begins one goes on with it at the project that took it, by its URL alone. */
import { GoogleGenAI } from "@google/genai";
import { GoogleGenAI as GoogleGenAI1 } from "@google/genai-1";
import OpenAI from "openai";
import { expect, it } from "vitest";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool, PoolOptions } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";
import { beginUpload, leg, receivedOf } from "./harness/uploads.ts";

const PROJECTS = fiveProjects(1);

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: PROJECTS, ...options });
}

it.each([
  ["3", (baseUrl: string) => new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl } })],
  ["1", (baseUrl: string) => new GoogleGenAI1({ apiKey: "any", httpOptions: { baseUrl } })],
])("as @google/genai %s does it, in one leg and in several", async (_, create) => {
  const pool = await poolWith();
  const ai = create(pool.url);
  for (const bytes of [5, 9 * 1024 * 1024]) {
    const blob = new Blob([Buffer.alloc(bytes, "a")], { type: "text/plain" });
    const file = await ai.files.upload({ file: blob, config: { mimeType: "text/plain", displayName: "d" } });
    expect(file).toMatchObject({ sizeBytes: String(bytes), mimeType: "text/plain" });
    expect(file.uri).toBe(`https://generativelanguage.googleapis.com/v1beta/${file.name}`);
    expect(pool.emulator.ownerOf(file.name ?? "")).toMatch(/alpha|beta|gamma|delta|epsilon/);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  const legs = pool.emulator.calls.recent().filter(({ operation }) => operation === "upload.leg");
  expect(legs.map(({ host }) => host)).toEqual(["side", "side", "side"]);
  // The upload's address is all that host gets.
  for (const { headers } of legs) expect(JSON.stringify(headers)).not.toContain("test-key");
  await pool.endsInBalance();
});

const CHUNK = Buffer.alloc(256 * 1024, "c");

it("is authorised by its id alone, by POST and PUT, also behind a locked door", async () => {
  const pool = await poolWith({ flags: { "auth-key": ["team=secret-of-the-team"], anonymous: "denied" } });
  expect((await fetch(`${pool.url}/upload/v1beta/files`, { method: "POST" })).status).toBe(401);
  for (const method of ["POST", "PUT"]) {
    const { url } = await beginUpload(pool.url, 5, { "x-goog-api-key": "secret-of-the-team" });
    expect(new URL(url).origin).toBe(pool.url);
    const last = await leg(url, "upload, finalize", { offset: 0, body: "hello", method });
    expect(last.status).toBe(200);
    expect(last.headers.get("x-goog-upload-status")).toBe("final");
    expect(await last.json()).toMatchObject({ file: { sizeBytes: "5" } });
  }
  await pool.endsInBalance();
});

it("asks, goes on, is cancelled, on any worker and after a restart of the gateway", async () => {
  const pool = await poolWith();
  const { url } = await beginUpload(pool.url, CHUNK.length + 3);
  const { url: other } = await beginUpload(pool.url, 5);
  expect((await leg(url, "upload", { offset: 0, body: CHUNK })).headers.get("x-goog-upload-status")).toBe(
    "active",
  );
  await pool.restart();
  // Another port: the address of the gateway is the client's to know.
  const moved = (address: string): string => address.replace(new URL(address).origin, pool.url);
  expect(await receivedOf(moved(url))).toBe(CHUNK.length);
  const wrong = await leg(moved(url), "upload, finalize", { offset: 0, body: "xyz" });
  expect(wrong.status).toBe(400);
  expect(wrong.headers.get("x-goog-upload-status")).toBe("active");
  expect(await wrong.text()).toContain("does not match");
  const last = await leg(moved(url), "upload, finalize", { offset: CHUNK.length, body: "xyz" });
  const { file } = (await last.json()) as { file: { name: string } };
  expect(pool.emulator.ownerOf(file.name)).toBeDefined();
  expect((await leg(moved(other), "cancel")).headers.get("x-goog-upload-status")).toBe("cancelled");
  expect((await leg(moved(other), "upload, finalize", { offset: 0, body: "hello" })).status).toBe(400);
  expect(pool.emulator.calls.foreignHits).toBe(0);
  await pool.endsInBalance();
});

it("goes on from where a break left it", async () => {
  const pool = await poolWith();
  const { url } = await beginUpload(pool.url, 5000);
  pool.emulator.fault({ times: 1, fault: { kind: "upload-break", afterBytes: 1000 } });
  const body = Buffer.alloc(5000, "b");
  expect((await leg(url, "upload, finalize", { offset: 0, body })).status).toBe(503);
  expect(await receivedOf(url)).toBe(1000);
  const rest = await leg(url, "upload, finalize", { offset: 1000, body: body.subarray(1000) });
  expect(await rest.json()).toMatchObject({ file: { sizeBytes: "5000" } });
  await pool.endsInBalance();
});

it("tells nothing to whoever guesses, and counts the guesses of an address", async () => {
  const pool = await poolWith({ flags: { "ip-per-minute": 4 } });
  const { url } = await beginUpload(pool.url, 5);
  const guess = url.replace(/upload_id=[^&]+/, "upload_id=made-up");
  expect(await (await leg(guess, "query")).text()).toContain("knows no such upload");
  const statuses = [];
  for (let count = 0; count < 4; count += 1) {
    statuses.push((await leg(guess, "query")).status);
  }
  // The start and the first guess were counted before.
  expect(statuses).toEqual([404, 404, 429, 429]);
  // Legs are not counted, however many there are.
  for (let count = 0; count < 6; count += 1) expect(await receivedOf(url)).toBe(0);
  const legs = pool.emulator.calls.recent().filter(({ operation }) => operation === "upload.leg");
  expect(legs).toHaveLength(6);
  await pool.endsInBalance();
});

it("shows upload ids to nobody else", async () => {
  const pool = await poolWith();
  const { url } = await beginUpload(pool.url, 5);
  await leg(url, "upload, finalize", { offset: 0, body: "hello" });
  await leg(url.replace(/upload_id=[^&]+/, "upload_id=AEmulatedwrong"), "query");
  await pool.endsInBalance();
  const id = new URL(url).searchParams.get("upload_id") ?? "";
  expect(id).toContain("AEmulated");
  expect(pool.logLines.join("")).not.toContain("AEmulated");
});

it.each<
  [string, { flags?: Record<string, string>; headers?: Record<string, string>; path?: string; base: string }]
>([
  ["what the client called it", { headers: { host: "ai.example:8080" }, base: "http://ai.example:8080" }],
  ["nothing that is no name", { headers: { host: "a\\b" }, base: "http://127.0.0.1:0" }],
  [
    "what a stranger says it forwards is not believed",
    { headers: { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" }, base: "own" },
  ],
  [
    "what a trusted proxy says",
    {
      flags: { "trust-proxy": "loopback" },
      headers: {
        "x-forwarded-host": "ai.example",
        "x-forwarded-proto": "https",
        "x-forwarded-prefix": "/llm",
      },
      base: "https://ai.example/llm",
    },
  ],
  [
    "what a trusted proxy says in one header",
    {
      flags: { "trust-proxy": "loopback", "path-prefix": "/gw" },
      headers: { forwarded: "for=192.0.2.1;proto=https;host=ai.example" },
      base: "https://ai.example/gw",
    },
  ],
  ["below its prefix", { flags: { "path-prefix": "/team/gw" }, path: "/team/gw", base: "own/team/gw" }],
  ["as it is told", { flags: { "public-url": "https://ai.example/x/" }, base: "https://ai.example/x" }],
])("bears the address of the gateway: %s", async (_, { flags = {}, headers = {}, path = "", base }) => {
  const pool = await poolWith({ flags });
  const { origin } = new URL(pool.url);
  const { url, controlUrl } = await beginUpload(origin + path, 5, headers);
  const expected = base.startsWith("own") ? origin + base.slice("own".length) : base;
  expect(url.slice(0, url.indexOf("/upload/"))).toBe(expected);
  expect(controlUrl).toBe(url);
});

it("in one request, as the old SDK and the OpenAI client send it: to another key when one fails", async () => {
  const pool = await poolWith({ flags: { "file-uris": "gateway" } });
  pool.emulator.fault({ times: 1, fault: { kind: "error", error: "overloaded" } });
  const boundary = "part-of-many";
  const related = [
    `--${boundary}\r\ncontent-type: application/json\r\n\r\n{"file":{"displayName":"d","mimeType":"text/plain"}}`,
    `--${boundary}\r\ncontent-type: text/plain\r\n\r\nhello`,
    `--${boundary}--\r\n`,
  ].join("\r\n");
  const answer = await fetch(`${pool.url}/upload/v1beta/files`, {
    method: "POST",
    headers: {
      "x-goog-api-key": "any",
      "x-goog-upload-protocol": "multipart",
      "content-type": `multipart/related; boundary=${boundary}`,
    },
    body: related,
  });
  const { file } = (await answer.json()) as { file: { name: string; uri: string } };
  expect(file).toMatchObject({ sizeBytes: "5", displayName: "d" });
  expect(file.uri).toBe(`${pool.url}/v1beta/${file.name}`);
  expect(pool.emulator.calls.total).toBe(2);
  pool.emulator.fault({ times: 1, fault: { kind: "error", error: "overloaded" } });
  const openai = new OpenAI({ apiKey: "any", baseURL: `${pool.url}/v1beta/openai/`, maxRetries: 0 });
  const made = await openai.files.create({
    file: new File(["hello"], "a.txt", { type: "text/plain" }),
    purpose: "batch",
  });
  expect(made).toMatchObject({ bytes: 5, filename: "a.txt" });
  for (const name of [file.name, made.id]) {
    const content = await fetch(`${pool.url}/v1beta/${name}:download?alt=media`);
    expect(await content.text()).toBe("hello");
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  await pool.endsInBalance();
});

it("passes on as it comes what is too large to be kept", async () => {
  const pool = await poolWith({ flags: { "limits-body": "64KB" } });
  const bytes = 1_000_000;
  for (const body of [Buffer.alloc(bytes, "a"), new Blob([Buffer.alloc(bytes, "b")]).stream()]) {
    const answer = await fetch(`${pool.url}/upload/v1beta/files`, {
      method: "POST",
      headers: { "x-goog-api-key": "any", "content-type": "text/plain", "x-goog-upload-protocol": "raw" },
      body,
      duplex: "half",
    });
    expect(answer.status).toBe(200);
    const { file } = (await answer.json()) as { file: { name: string } };
    expect(file).toMatchObject({ sizeBytes: String(bytes) });
    expect(
      await (await fetch(`${pool.url}/v1beta/${file.name}:download?alt=media`)).arrayBuffer(),
    ).toHaveProperty("byteLength", bytes);
  }
  await pool.endsInBalance();
});

it("bears the address that is wished for wherever a file is told of, and is understood so", async () => {
  const pool = await poolWith({ flags: { "file-uris": "gateway" } });
  const { url } = await beginUpload(pool.url, 5);
  const last = await leg(url, "upload, finalize", { offset: 0, body: "hello" });
  const { file } = (await last.json()) as { file: { name: string; uri: string } };
  expect(file.uri).toBe(`${pool.url}/v1beta/${file.name}`);
  const told = await fetch(file.uri);
  expect(await told.json()).toMatchObject({ name: file.name, uri: file.uri });
  const parts = [{ text: "Hello" }, { fileData: { fileUri: file.uri, mimeType: "text/plain" } }];
  for (let count = 0; count < 3; count += 1) {
    const answer = await ask(pool.url, { body: JSON.stringify({ contents: [{ role: "user", parts }] }) });
    expect(answer.status).toBe(200);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  await pool.endsInBalance();
});

it("goes to the project of the store that it is for", async () => {
  const pool = await poolWith();
  const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: pool.url } });
  for (let count = 0; count < 3; count += 1) {
    const store = await ai.fileSearchStores.create({ config: { displayName: "s" } });
    const operation = await ai.fileSearchStores.uploadToFileSearchStore({
      file: new Blob(["hello"], { type: "text/plain" }),
      fileSearchStoreName: store.name ?? "",
      config: { mimeType: "text/plain" },
    });
    expect(operation.name).toContain(store.name);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  await pool.endsInBalance();
});

it("waits for its own project, and says when to come back", async () => {
  const pool = await poolWith({ flags: { "lease-max-wait": "0s" } });
  const { url } = await beginUpload(pool.url, 5);
  const [start] = pool.emulator.calls.recent();
  const project = start?.project ?? "";
  pool.emulator.fault({ match: { project }, fault: { kind: "error", error: "quota-minute" } });
  // Another request of the same kind finds its quota used up.
  for (let count = 0; count < PROJECTS.length; count += 1) await fetch(`${pool.url}/v1beta/files/x`);
  const refused = await leg(url, "upload, finalize", { offset: 0, body: "hello" });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  await pool.endsInBalance();
});
