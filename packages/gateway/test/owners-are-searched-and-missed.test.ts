/** What nobody told the gateway is asked for in one project after the other; what cannot be served is said in clear words. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { asked, made, uploadedFile, type Asked, type Json } from "./harness/owned-things.ts";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool, PoolOptions } from "./harness/pool.ts";
import { MODEL } from "./harness/requests.ts";
import { saying } from "./harness/thing-makers.ts";

const PROJECTS = fiveProjects(2);
const GENERATE = `/v1beta/models/${MODEL}:generateContent`;

/** How long the sync of key files is waited for, milliseconds. */
const PATIENT = { timeout: 15_000 };

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: PROJECTS, ...options });
}

/** Made past the gateway, with a key of the project. */
async function madeBy(pool: Pool, project: string, path: string, body: object): Promise<Json> {
  const response = await fetch(pool.emulator.url + path, {
    method: "POST",
    headers: { "x-goog-api-key": `test-key-${project}-1`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Json;
}

/** Everything that names a thing which was made past the gateway, one by one. */
const UNKNOWN: readonly (readonly [kind: string, ask: (pool: Pool) => Promise<Asked>])[] = [
  [
    "a cache in a path",
    async (pool) => {
      const body = { model: `models/${MODEL}`, ...saying("word ".repeat(4_000)) };
      const { name } = await madeBy(pool, "delta", "/v1beta/cachedContents", body);
      return { method: "GET", path: `/v1beta/${String(name)}` };
    },
  ],
  [
    "a store in a body",
    async (pool) => {
      const { name } = await madeBy(pool, "delta", "/v1beta/fileSearchStores", {});
      const tools = [{ fileSearch: { fileSearchStoreNames: [name] } }];
      return { method: "POST", path: GENERATE, body: { ...saying("hi"), tools } };
    },
  ],
  [
    "an interaction in a body",
    async (pool) => {
      const { id } = await madeBy(pool, "delta", "/v1/interactions", { model: MODEL, input: "hi" });
      const body = { model: MODEL, input: "and?", previous_interaction_id: id, stream: true };
      return { method: "POST", path: "/v1/interactions", body };
    },
  ],
  [
    "a continuation",
    async (pool) => {
      const prompt = saying("continue 1 times");
      const text = JSON.stringify(await madeBy(pool, "delta", GENERATE, prompt));
      const [, token = ""] = /"continuationToken":"([^"]+)"/.exec(text) ?? [];
      return { method: "POST", path: GENERATE, body: { ...prompt, continuationToken: token } };
    },
  ],
];

it.each(UNKNOWN)("%s is found once, and then known", async (_kind, ask) => {
  const pool = await poolWith();
  const request = await ask(pool);
  const before = pool.emulator.calls.total;
  expect((await asked(pool.url, request)).status).toBe(200);
  const searched = pool.emulator.calls.total - before;
  expect(searched).toBeLessThanOrEqual(PROJECTS.length);
  expect(pool.emulator.calls.foreignHits).toBe(searched - 1);
  for (let count = 0; count < 5; count += 1) expect((await asked(pool.url, request)).status).toBe(200);
  expect(pool.emulator.calls.total).toBe(before + searched + 5);
  const projects = pool.emulator.calls.recent().slice(before, before + searched);
  expect(new Set(projects.map(({ project }) => project)).size).toBe(searched);
  expect(pool.keyView("test-key-alpha-1").health.kind).not.toBe("dead");
  await pool.endsInBalance();
});

it("what nobody knows is looked for first where its client's other things are", async () => {
  const pool = await poolWith({ flags: { workers: 1 } });
  const { name } = await uploadedFile(pool.emulator.url, { key: "test-key-delta-1" });
  expect((await asked(pool.url, { method: "GET", path: `/v1beta/${name}` })).status).toBe(200);
  const { foreignHits } = pool.emulator.calls;
  for (let count = 0; count < 4; count += 1) {
    const other = await uploadedFile(pool.emulator.url, { key: "test-key-delta-1" });
    expect((await asked(pool.url, { method: "GET", path: `/v1beta/${other.name}` })).status).toBe(200);
  }
  expect(pool.emulator.calls.foreignHits).toBe(foreignHits);
  await pool.endsInBalance();
});

it("what nobody has is asked for as often as is set, and answered as Google does", async () => {
  const pool = await poolWith({ flags: { "affinity-search-projects": 3 } });
  const request = { method: "GET", path: "/v1beta/files/nobody-has-it" } as const;
  const { status, text } = await asked(pool.url, request);
  expect([status, pool.emulator.calls.total]).toEqual([403, 3]);
  expect(text).toContain("You do not have permission to access the File nobody-has-it or it may not exist.");
  expect((await asked(pool.url, request)).status).toBe(403);
  expect(pool.emulator.calls.total).toBe(6);
});

it("an agent that Google offers to all is nobody's", async () => {
  const pool = await poolWith({ flags: { workers: 1 } });
  const body = { agent: "deep-research-pro-preview", input: "hi" };
  for (let count = 0; count < 20; count += 1)
    await made(pool.url, { method: "POST", path: "/v1/interactions", body });
  const projects = pool.emulator.calls.recent().map(({ project }) => project);
  expect(new Set(projects).size).toBeGreaterThan(1);
});

/** Files of two projects. */
async function filesOfTwo(pool: Pool): Promise<readonly { name: string; uri: string }[]> {
  const byOwner = new Map<string, { name: string; uri: string }>();
  while (byOwner.size < 2) {
    const file = await uploadedFile(pool.url);
    byOwner.set(pool.emulator.ownerOf(file.name) ?? "", file);
  }
  return [...byOwner.values()];
}

function naming(files: readonly { readonly uri: string }[]): Asked {
  const parts = files.map(({ uri }) => ({ fileData: { fileUri: uri } }));
  return { method: "POST", path: GENERATE, body: { contents: [{ parts }] } };
}

it("resources of two projects are refused by name, at no upstream call, in every dialect", async () => {
  const pool = await poolWith();
  const files = await filesOfTwo(pool);
  const [one, other] = files.map(({ name }) => name);
  const calls = pool.emulator.calls.total;
  const native = await asked(pool.url, naming(files));
  expect(native.status).toBe(400);
  expect(native.json["error"]).toMatchObject({
    code: 400,
    status: "FAILED_PRECONDITION",
    message: expect.stringMatching(
      `resources of several Google projects.* Named: ${one}, ${other}\\.$`,
    ) as string,
  });
  expect(native.headers.get("retry-after")).toBeNull();
  const input = files.map(({ uri }) => ({ type: "document", uri }));
  const interaction = await asked(pool.url, {
    method: "POST",
    path: "/v1/interactions",
    body: { model: MODEL, input },
  });
  expect([interaction.status, interaction.json["error"]]).toEqual([
    400,
    { code: "failed_precondition", message: expect.stringContaining(`${one}, ${other}`) as string },
  ]);
  const parts = files.map(({ name }) => ({ type: "file", file: { file_id: name } }));
  const compatible = await asked(pool.url, {
    method: "POST",
    path: "/v1beta/openai/chat/completions",
    body: { model: MODEL, messages: [{ role: "user", content: parts }] },
  });
  expect(compatible.status).toBe(400);
  expect(compatible.json).toMatchObject([{ error: { status: "FAILED_PRECONDITION" } }]);
  expect(pool.emulator.calls.total).toBe(calls);
});

it("an owner that dies is stood in for by its other key, and when that dies too, never by another project", async () => {
  const pool = await poolWith();
  const file = await uploadedFile(pool.url);
  const owner = pool.emulator.ownerOf(file.name) ?? "";
  const request = naming([file]);
  pool.emulator.setKeyState(`test-key-${owner}-1`, "invalid");
  for (let count = 0; count < 4; count += 1) expect((await asked(pool.url, request)).status).toBe(200);
  pool.emulator.setKeyState(`test-key-${owner}-2`, "invalid");
  const first = await asked(pool.url, request);
  expect(first.status).toBe(503);
  const calls = pool.emulator.calls.total;
  const second = await asked(pool.url, request);
  expect(second.status).toBe(503);
  expect(second.text).toContain(`Named: ${file.name}`);
  expect(Number(second.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(pool.emulator.calls.total).toBe(calls);
  expect(pool.emulator.calls.foreignHits).toBe(0);
  // Everybody else is served.
  expect((await asked(pool.url, { method: "POST", path: GENERATE, body: saying("hi") })).status).toBe(200);
});

it("an owner out of quota says when it may work, and works again then", async () => {
  const pool = await poolWith();
  const file = await uploadedFile(pool.url);
  const owner = pool.emulator.ownerOf(file.name) ?? "";
  const fault = { kind: "error", error: "quota-minute", retryDelaySeconds: 30 } as const;
  const undo = pool.emulator.fault({ match: { project: owner }, fault });
  const askedAt = performance.now();
  const refused = await asked(pool.url, naming([file]));
  const elapsedSeconds = (performance.now() - askedAt) / 1_000;
  expect(refused.status).toBe(429);
  // As Google said and a second more, less what has passed since: on a busy machine that counts.
  const retryAfter = refused.headers.get("retry-after");
  expect(Number(retryAfter)).toBeLessThanOrEqual(31);
  expect(Number(retryAfter)).toBeGreaterThanOrEqual(31 - elapsedSeconds);
  expect(refused.json["error"]).toMatchObject({
    status: "RESOURCE_EXHAUSTED",
    message: expect.stringMatching(
      `used up its quota.* Named: ${file.name}\\. It may work in ${retryAfter} s\\.$`,
    ) as string,
  });
  expect(refused.text).toContain(`"retryDelay": "${retryAfter}s"`);
  undo();
  // Another model of the project is not out of quota.
  const path = "/v1beta/models/gemini-2.5-flash-lite:generateContent";
  expect((await asked(pool.url, { ...naming([file]), path })).status).toBe(200);
  expect(pool.emulator.calls.foreignHits).toBe(0);
});

it("an owner whose keys left the pool is told of", async () => {
  const pool = await poolWith({ flags: { "key-sync-interval": "1s" } });
  const file = await uploadedFile(pool.url);
  const owner = pool.emulator.ownerOf(file.name) ?? "";
  const others = PROJECTS.filter(({ name }) => name !== owner);
  const text = others.map(({ name, keys }) => `# project: ${name}\n${keys.join("\n")}\n`).join("");
  await writeFile(join(pool.folder, "keys", "pool.txt"), text);
  await pool.restart();
  // Keys go once the file has been still for a while: nobody knows before whether it is whole.
  await expect.poll(() => pool.logLines.some((line) => line.includes('"retired":2')), PATIENT).toBe(true);
  const calls = pool.emulator.calls.total;
  const { status, json } = await asked(pool.url, { method: "GET", path: `/v1beta/${file.name}` });
  expect(status).toBe(404);
  expect(json["error"]).toMatchObject({
    status: "NOT_FOUND",
    message: expect.stringContaining(`Named: ${file.name}`) as string,
  });
  expect(pool.emulator.calls.total).toBe(calls);
});
