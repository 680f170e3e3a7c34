/** Downloads through the gateway: redirects are followed inside, and a key never leaves the upstream's host. */
import { GoogleGenAI } from "@google/genai";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { expect, it, onTestFinished } from "vitest";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool, PoolOptions } from "./harness/pool.ts";
import { beginUpload, leg } from "./harness/uploads.ts";

const PROJECTS = fiveProjects(1);

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: PROJECTS, ...options });
}

/** Puts a file there; gives its name. */
async function upload(base: string, body: Buffer | string, headers = {}): Promise<string> {
  const { url } = await beginUpload(base, Buffer.byteLength(body), headers);
  const answer = await leg(url, "upload, finalize", { offset: 0, body });
  const { file } = (await answer.json()) as { file: { name: string } };
  return file.name;
}

it("gives the bytes, whichever way they are asked for, and shows no other host a key", async () => {
  const pool = await poolWith();
  const name = await upload(pool.url, "hello there");
  for (const path of [
    `/v1beta/${name}:download?alt=media`,
    `/download/v1beta/${name}:download?alt=media`,
    `/v1beta/openai/files/${encodeURIComponent(name)}/content`,
  ]) {
    const answer = await fetch(pool.url + path, { redirect: "manual", headers: { "x-goog-api-key": "any" } });
    expect([path, answer.status, await answer.text()]).toEqual([path, 200, "hello there"]);
    expect(answer.headers.get("content-type")).toBe("text/plain");
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  const elsewhere = pool.emulator.calls.recent().filter((call) => call.host === "side");
  expect(elsewhere.length).toBeGreaterThan(0);
  for (const { headers, path } of elsewhere)
    expect(JSON.stringify([headers, path])).not.toContain("test-key");
  const row = await pool.requestLogged(({ path }) => path === `/v1beta/${name}:download`);
  expect(row).toMatchObject({ outcome: "served", attempts: 1, bytesOut: 11 });
  await pool.endsInBalance();
});

it("as @google/genai and openai ask for them", async () => {
  const pool = await poolWith();
  const folder = await mkdtemp(join(tmpdir(), "downloads-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: pool.url } });
  const bytes = Buffer.alloc(3_000_000, "abcdefgh");
  const file = await ai.files.upload({ file: new Blob([bytes]), config: { mimeType: "text/plain" } });
  const downloadPath = join(folder, "a");
  await ai.files.download({ file: file.name ?? "", downloadPath });
  expect((await readFile(downloadPath)).equals(bytes)).toBe(true);
  const openai = new OpenAI({ apiKey: "any", baseURL: `${pool.url}/v1beta/openai/`, maxRetries: 0 });
  const content = await openai.files.content(file.name ?? "");
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
  await pool.endsInBalance();
});

it("looks for a file it has never seen, and remembers where it was", async () => {
  const pool = await poolWith();
  const name = await upload(pool.emulator.url, "elsewhere", { "x-goog-api-key": "test-key-gamma" });
  const path = `/v1beta/${name}:download?alt=media`;
  expect(await (await fetch(pool.url + path)).text()).toBe("elsewhere");
  const hits = pool.emulator.calls.foreignHits;
  expect(hits).toBeLessThan(PROJECTS.length);
  await pool.restart();
  expect(await (await fetch(pool.url + path)).text()).toBe("elsewhere");
  expect(pool.emulator.calls.foreignHits).toBe(hits);
  expect((await fetch(`${pool.url}/v1beta/files/made-up:download?alt=media`)).status).toBe(403);
  await pool.endsInBalance();
});

// --- what the emulator does not do: hosts of our own ---------------------------------------------------------------------

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A host; `seen` holds the heads of its requests. */
async function host(handler: Handler): Promise<{ readonly url: string; readonly seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(request);
    handler(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const redirectTo =
  (location: string): Handler =>
  (_, response) =>
    void response.writeHead(302, { location }).end();

it("asks other hosts for the range that was asked for, without the caller's credentials", async () => {
  const store = await host((request, response) => {
    if (request.url === "/b?sig=1") redirectTo("/c?sig=2")(request, response);
    else response.writeHead(206, { "content-range": "bytes 1-3/5" }).end("ell");
  });
  const upstream = await host(redirectTo(`${store.url}/b?sig=1`));
  const pool = await poolWith({ upstream: `${upstream.url}/prefix` });
  const answer = await fetch(`${pool.url}/v1beta/files/x:download?alt=media&key=mine`, {
    headers: { range: "bytes=1-3", authorization: "Bearer mine" },
  });
  expect([answer.status, answer.headers.get("content-range"), await answer.text()]).toEqual([
    206,
    "bytes 1-3/5",
    "ell",
  ]);
  expect(upstream.seen[0]?.headers["x-goog-api-key"]).toMatch(/^test-key-/);
  expect(store.seen.map(({ url }) => url)).toEqual(["/b?sig=1", "/c?sig=2"]);
  for (const { headers } of store.seen) {
    expect(headers.range).toBe("bytes=1-3");
    expect(JSON.stringify(headers)).not.toMatch(/test-key|mine/);
  }
  await pool.endsInBalance();
});

it("follows so far and no further, and only where it may", async () => {
  const loop = await host(redirectTo("/again"));
  const pool = await poolWith({ upstream: loop.url, flags: { "retry-attempts": 1 } });
  const answer = await fetch(`${pool.url}/v1beta/files/x:download?alt=media`, { redirect: "manual" });
  expect([answer.status, answer.headers.get("location")]).toEqual([503, null]);
  expect(loop.seen).toHaveLength(6);
  for (const location of ["ftp://files.example/x", "http://[not-an-address/"]) {
    const odd = await host(redirectTo(location));
    const oddPool = await poolWith({ upstream: odd.url, flags: { "retry-attempts": 1 } });
    const refused = await fetch(`${oddPool.url}/v1beta/files/x:download?alt=media`, { redirect: "manual" });
    expect([refused.status, refused.headers.get("location")]).toEqual([503, null]);
    expect(odd.seen).toHaveLength(1);
    await oddPool.endsInBalance();
  }
  await pool.endsInBalance();
});

it("brings no key back from elsewhere", async () => {
  const back = { to: "" };
  const store = await host((request, response) => redirectTo(back.to)(request, response));
  const upstream = await host((request, response) => {
    if (request.url?.startsWith("/v1beta/files/x") === true) redirectTo(store.url)(request, response);
    else response.writeHead(200).end("all files");
  });
  back.to = `${upstream.url}/v1beta/files`;
  const pool = await poolWith({ upstream: upstream.url });
  await fetch(`${pool.url}/v1beta/files/x:download?alt=media`);
  expect(upstream.seen.map(({ headers }) => headers["x-goog-api-key"])).toEqual([
    expect.stringMatching(/^test-key-/) as unknown,
    undefined,
  ]);
  await pool.endsInBalance();
});

it("blames no key for what another host says", async () => {
  const store = await host((_, response) => {
    const error = { code: 401, status: "UNAUTHENTICATED", message: "API key not valid." };
    response.writeHead(401, { "content-type": "application/json" }).end(JSON.stringify({ error }));
  });
  const upstream = await host(redirectTo(`${store.url}/x`));
  const pool = await poolWith({ upstream: upstream.url });
  const answer = await fetch(`${pool.url}/v1beta/files/x:download?alt=media`);
  expect([answer.status, store.seen.length]).toEqual([401, 1]);
  for (const { keys } of PROJECTS) {
    const [secret = ""] = keys;
    expect(pool.keyView(secret).health.kind).not.toBe("dead");
  }
  await pool.endsInBalance();
});
