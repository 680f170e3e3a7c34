import { createHash } from "node:crypto";
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import type { Emulator } from "../src/emulator.ts";
import { FILE_BYTES_KEPT_MAX } from "../src/resources/byte-intake.ts";
import { CHUNK_GRANULARITY_BYTES } from "../src/resources/upload-sessions.ts";
import { ALPHA, ask, BETA, made, startProjects } from "./projects.ts";
import type { Json } from "./projects.ts";

/** Begins a resumable upload; gives the URL to go on with. */
async function begin(
  emulator: Emulator,
  bytes: number,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const response = await ask(emulator, "/upload/v1/files", {
    body: { file: { mimeType: "text/plain", displayName: "d", sizeBytes: String(bytes) } },
    headers: {
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": String(bytes),
      "x-goog-upload-header-content-type": "text/plain",
      ...more,
    },
  });
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("");
  expect(response.headers.get("x-goog-upload-status")).toBe("active");
  expect(response.headers.get("x-goog-upload-chunk-granularity")).toBe(String(CHUNK_GRANULARITY_BYTES));
  expect(response.headers.get("x-goog-upload-control-url")).toBe(response.headers.get("x-goog-upload-url"));
  return response.headers.get("x-goog-upload-url") ?? "";
}

/** One leg without any credential. */
function leg(
  url: string,
  command: string,
  offset?: number,
  body?: Buffer | string,
  method = "POST",
): Promise<Response> {
  const at = offset === undefined ? {} : { "x-goog-upload-offset": String(offset) };
  return fetch(url, {
    method,
    headers: { "x-goog-upload-command": command, ...at },
    ...(body !== undefined && { body }),
  });
}

describe("takes resumable uploads", () => {
  it("in one leg, at an absolute URL of another host, without a credential, under POST and PUT", async () => {
    await using emulator = await startProjects();
    for (const method of ["POST", "PUT"]) {
      const url = await begin(emulator, 5);
      expect(new URL(url).origin).toBe(emulator.uploadOrigin);
      expect(new URL(url).host).not.toBe(new URL(emulator.url).host);
      const response = await leg(url, "upload, finalize", 0, "hello", method);
      expect(response.headers.get("x-goog-upload-status")).toBe("final");
      const { file } = (await response.json()) as { file: Json };
      const sha256Hash = Buffer.from(createHash("sha256").update("hello").digest("hex")).toString("base64");
      expect(file).toMatchObject({
        sizeBytes: "5",
        mimeType: "text/plain",
        displayName: "d",
        state: "ACTIVE",
        sha256Hash,
      });
      expect(file["uri"]).toBe(`https://generativelanguage.googleapis.com/v1beta/${String(file["name"])}`);
    }
    const [start, second] = emulator.calls.recent();
    expect([start?.host, second?.host]).toEqual(["api", "side"]);
    expect(second).toMatchObject({ key: "", project: "alpha", operation: "upload.leg", bodyBytes: 5 });
  });

  it("in several chunks whose offsets and sizes it checks, and says how far it is", async () => {
    await using emulator = await startProjects();
    const chunk = Buffer.alloc(CHUNK_GRANULARITY_BYTES, "a");
    const url = await begin(emulator, chunk.length + 3);
    expect((await leg(url, "upload", 0, "abc")).status).toBe(400);
    const first = await leg(url, "upload", 0, chunk);
    expect(first.headers.get("x-goog-upload-status")).toBe("active");
    expect((await leg(url, "upload, finalize", 0, "abc")).status).toBe(400);
    expect((await leg(url, "upload, finalize", chunk.length, "abcd")).status).toBe(400);
    const query = await leg(url, "query");
    expect(query.headers.get("x-goog-upload-size-received")).toBe(String(chunk.length));
    const last = await leg(url, "upload, finalize", chunk.length, "xyz");
    expect(last.status).toBe(200);
    const again = await leg(url, "upload, finalize", chunk.length, "xyz");
    expect(await again.json()).toEqual(await last.json());
  });

  it("breaks where a fault says, keeps what came, and goes on from there", async () => {
    await using emulator = await startProjects();
    emulator.fault({ times: 1, fault: { kind: "upload-break", afterBytes: 1000 } });
    const body = Buffer.alloc(5000, "b");
    const url = await begin(emulator, body.length);
    await expect(leg(url, "upload, finalize", 0, body)).rejects.toThrow("fetch failed");
    const received = Number((await leg(url, "query")).headers.get("x-goog-upload-size-received"));
    expect(received).toBe(1000);
    const rest = await leg(url, "upload, finalize", received, body.subarray(received));
    expect(((await rest.json()) as { file: Json }).file["sizeBytes"]).toBe("5000");
  });

  it("takes nothing of a leg that a scripted error answers", async () => {
    await using emulator = await startProjects();
    const match = { operation: "upload.leg", project: "alpha" };
    emulator.fault({ match, times: 1, fault: { kind: "error", error: "overloaded" } });
    const url = await begin(emulator, 5);
    expect((await leg(url, "upload, finalize", 0, "hello")).status).toBe(503);
    expect((await leg(url, "upload, finalize", 0, "hello")).status).toBe(200);
    expect((await made(emulator, "/v1/files"))["files"]).toHaveLength(1);
  });

  it("cancels, and knows no made-up upload", async () => {
    await using emulator = await startProjects();
    const url = await begin(emulator, 5);
    expect((await leg(url, "cancel")).headers.get("x-goog-upload-status")).toBe("cancelled");
    expect((await leg(url, "upload, finalize", 0, "hello")).status).toBe(400);
    expect((await leg(url.replace(/upload_id=[^&]+/, "upload_id=nonsense"), "query")).status).toBe(404);
  });

  it("serves legs at the API's port too, unless hosts are strict, and marks another project's key", async () => {
    await using emulator = await startProjects();
    const url = new URL(await begin(emulator, 5));
    const path = url.pathname + url.search;
    const headers = { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
    expect((await ask(emulator, path, { key: BETA, body: "hello", headers })).status).toBe(200);
    expect(emulator.calls.foreignTokens).toBe(1);
    await using strict = await startProjects({ strictHosts: true });
    const other = new URL(await begin(strict, 5));
    expect((await ask(strict, other.pathname + other.search, { body: "hello", headers })).status).toBe(404);
  });

  it("takes what it cannot keep in constant memory, and knows its hash", { timeout: 60_000 }, async () => {
    await using emulator = await startProjects();
    const block = Buffer.alloc(1024 * 1024, "z");
    const blocks = 128;
    const url = await begin(emulator, block.length * blocks);
    const before = process.memoryUsage().arrayBuffers;
    const { file } = await sendBlocks(url, block, blocks);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(FILE_BYTES_KEPT_MAX * 2);
    const hash = createHash("sha256");
    for (let index = 0; index < blocks; index += 1) hash.update(block);
    expect(file["sha256Hash"]).toBe(Buffer.from(hash.digest("hex")).toString("base64"));
    const path = `/download/v1beta/${String(file["name"])}:download?alt=media`;
    expect((await ask(emulator, path)).status).toBe(400);
  });
});

function sendBlocks(url: string, block: Buffer, blocks: number): Promise<{ file: Json }> {
  return new Promise((resolve, reject) => {
    const headers = { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
    const sent = request(url, { method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve(JSON.parse(text) as { file: Json }));
    });
    sent.on("error", reject);
    let left = blocks;
    const write = (): void => {
      while (left > 0) {
        left -= 1;
        if (!sent.write(block)) {
          sent.once("drain", write);
          return;
        }
      }
      sent.end();
    };
    write();
  });
}

describe("takes uploads of one request", () => {
  it("multipart/related of the old client", async () => {
    await using emulator = await startProjects();
    const body =
      '--b0\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{"file":{"mimeType":"text/plain","displayName":"d"}}\r\n--b0\r\nContent-Type: text/plain\r\n\r\nhel\r\n-lo\r\n--b0--';
    const headers = {
      "content-type": "multipart/related; boundary=b0",
      "x-goog-upload-protocol": "multipart",
    };
    const { file } = await made(emulator, "/upload/v1beta/files", { body, headers });
    expect(file).toMatchObject({ sizeBytes: "8", displayName: "d", mimeType: "text/plain" });
    expect((await ask(emulator, "/upload/v1beta/files", { body: "nonsense", headers })).status).toBe(400);
  });

  it("a raw body", async () => {
    await using emulator = await startProjects();
    const { file } = await made(emulator, "/upload/v1beta/files", {
      body: '"not read as JSON"',
      headers: { "content-type": "text/plain" },
    });
    expect(file).toMatchObject({ sizeBytes: "18", mimeType: "text/plain" });
  });
});

describe("keeps files", () => {
  it("lists them in pages whose tokens survive deletions, gets and deletes them", async () => {
    await using emulator = await startProjects();
    expect(await made(emulator, "/v1beta/files")).toEqual({});
    const names: string[] = [];
    for (const text of ["a", "b", "c"]) {
      const { file } = await made(emulator, "/upload/v1beta/files", {
        body: text,
        headers: { "content-type": "text/plain" },
      });
      names.push(String((file as Json)["name"]));
    }
    const first = (await made(emulator, "/v1/files?pageSize=2")) as { files: Json[]; nextPageToken: string };
    expect(first.files.map(({ name }) => name)).toEqual([names[2], names[1]]);
    const next = `/v1/files?pageSize=2&pageToken=${first.nextPageToken}`;
    const second = (await made(emulator, next)) as { files: Json[] };
    expect(second.files.map(({ name }) => name)).toEqual([names[0]]);
    expect(second).not.toHaveProperty("nextPageToken");
    await made(emulator, `/v1/${names[1] ?? ""}`, { method: "DELETE" });
    expect(await made(emulator, next)).toEqual(second);
    expect((await ask(emulator, next, { key: BETA })).status).toBe(400);
    expect((await ask(emulator, `/v1/${names[1] ?? ""}`)).status).toBe(403);
  });

  it("is PROCESSING for the polls that are asked for, unusable until then, and gone after 48 hours", async () => {
    const clock = { nowMs: Date.parse("2026-11-25T12:00:00Z") };
    await using emulator = await startProjects({ filePolls: 1, now: () => clock.nowMs });
    const { file } = await made(emulator, "/upload/v1beta/files", {
      body: "a",
      headers: { "content-type": "text/plain" },
    });
    const { name, uri, state, expirationTime } = file as Json;
    expect([state, expirationTime]).toEqual(["PROCESSING", "2026-11-27T12:00:00.000000Z"]);
    const use = { contents: [{ parts: [{ fileData: { fileUri: uri } }, { text: "hi" }] }] };
    const path = "/v1beta/models/gemini-2.5-flash:generateContent";
    expect(await (await ask(emulator, path, { body: use })).text()).toContain("is not in an ACTIVE state");
    expect((await made(emulator, `/v1beta/${String(name)}`))["state"]).toBe("PROCESSING");
    expect((await made(emulator, `/v1beta/${String(name)}`))["state"]).toBe("ACTIVE");
    expect((await ask(emulator, path, { body: use })).status).toBe(200);
    expect(emulator.ownerOf(String(name))).toBe("alpha");
    clock.nowMs += 48 * 3_600_000;
    expect(emulator.ownerOf(String(name))).toBeUndefined();
    expect((await ask(emulator, `/v1beta/${String(name)}`)).status).toBe(403);
  });
});

describe("redirects downloads", () => {
  it("to a signed link on another host that needs no key", async () => {
    await using emulator = await startProjects();
    const { file } = await made(emulator, "/upload/v1beta/files", {
      body: "bytes",
      headers: { "content-type": "text/plain" },
    });
    const name = String((file as Json)["name"]);
    const redirect = await ask(emulator, `/v1beta/${name}:download?alt=media`);
    expect(redirect.status).toBe(302);
    const link = new URL(redirect.headers.get("location") ?? "");
    expect(link.origin).toBe(emulator.downloadOrigin);
    expect(link.href).not.toContain(ALPHA);
    expect(await (await fetch(link)).text()).toBe("bytes");
    link.searchParams.set("sig", "nonsense");
    expect((await fetch(link)).status).toBe(400);
    expect((await ask(emulator, `/v1beta/${name}:download?alt=media`, { key: BETA })).status).toBe(403);
    expect(await made(emulator, `/v1beta/${name}:download`)).toMatchObject({ name });
    expect((await fetch(`${emulator.downloadOrigin}/v1beta/files?key=${ALPHA}`)).status).toBe(404);
  });
});
