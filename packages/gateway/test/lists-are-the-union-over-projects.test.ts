/** A list is the union over the projects: paged, the same after a restart, and not undone by one project that fails. */
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "./harness/collect.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { MODEL } from "./harness/requests.ts";

const PROJECTS = ["alpha", "beta", "gamma", "delta", "epsilon"].map((name, index) => ({
  name,
  keys: [`test-key-${index}-a`, `test-key-${index}-b`],
}));

const LONG = "x".repeat(9_000);
const BATCH = {
  batch: {
    display_name: "b",
    input_config: { requests: { requests: [{ request: { contents: [{ parts: [{ text: "hi" }] }] } }] } },
  },
};

/** Uploads to the emulator itself, with a key of the project of this number; gives the file's name. */
async function upload(pool: Pool, project: number, bytes = "hello"): Promise<string> {
  const answer = await fetch(`${pool.emulator.url}/upload/v1beta/files?uploadType=multipart`, {
    method: "POST",
    headers: {
      "x-goog-api-key": PROJECTS[project]?.keys[0] ?? "",
      "content-type": "multipart/related; boundary=b",
    },
    body: `--b\r\ncontent-type: application/json\r\n\r\n{"file":{}}\r\n--b\r\ncontent-type: text/plain\r\n\r\n${bytes}\r\n--b--\r\n`,
  });
  const { file } = (await answer.json()) as { file: { name: string } };
  return file.name;
}

async function uploadAll(pool: Pool, projects: readonly number[]): Promise<string[]> {
  const names: string[] = [];
  for (const project of projects) names.push(await upload(pool, project));
  return names;
}

interface FilePage {
  readonly files?: readonly { readonly name: string }[];
  readonly nextPageToken?: string;
}

interface Listed {
  readonly names: readonly string[];
  readonly pages: number;
  readonly leftOut: readonly string[];
}

/** Follows the list to its end. */
async function listFiles(pool: Pool, query: string, between?: () => Promise<void>): Promise<Listed> {
  const names: string[] = [];
  const leftOut: string[] = [];
  let token = "";
  for (let pages = 1; ; pages += 1) {
    const answer = await fetch(`${pool.url}/v1beta/files?${query}&pageToken=${encodeURIComponent(token)}`);
    expect(answer.status).toBe(200);
    const { files = [], nextPageToken = "" } = (await answer.json()) as FilePage;
    names.push(...files.map(({ name }) => name));
    leftOut.push(...(answer.headers.get("x-gateway-left-out")?.split(", ") ?? []));
    token = nextPageToken;
    if (token === "") return { names, pages, leftOut };
    expect(files.length).toBeGreaterThan(0);
    await between?.();
  }
}

it("pages through the files of every project, also after restarts", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const names = await uploadAll(pool, [0, 1, 2, 0, 4, 4, 4, 0]);
  pool.emulator.calls.reset();
  const { names: listed, pages } = await listFiles(pool, "pageSize=3", () => pool.restart());
  expect(listed.toSorted()).toEqual(names.toSorted());
  expect(pages).toBe(3);
  expect(pool.emulator.calls.total).toBeLessThan(20);
  await pool.endsInBalance();
});

it("leaves out a project that fails, names it by its key, and fails only when all do", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const names = await uploadAll(pool, [0, 1, 2, 3, 4]);
  pool.emulator.setProjectState("gamma", "suspended");
  const { names: listed, leftOut } = await listFiles(pool, "pageSize=100");
  const others = names.filter((_, project) => project !== 2);
  expect(listed.toSorted()).toEqual(others.toSorted());
  expect(leftOut).toEqual([expect.stringMatching(/^k-\w{12}=[a-z-]+$/)]);
  const told = pool.emulator.calls.byProject("gamma");
  // What is known to be out of service is not asked again.
  expect((await listFiles(pool, "pageSize=100")).leftOut).toHaveLength(1);
  expect(pool.emulator.calls.byProject("gamma")).toBe(told);
  for (const { name } of PROJECTS) pool.emulator.setProjectState(name, "suspended");
  for (const status of [503, 503]) {
    const answer = await fetch(`${pool.url}/v1beta/files`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code: status, status: "UNAVAILABLE" } });
  }
  await pool.endsInBalance();
});

it("waits for a silent project once", async () => {
  await using pool = await startPool({ projects: PROJECTS, flags: { "timeouts-first-byte": "1s" } });
  const [, ...others] = await uploadAll(pool, [0, 1, 2]);
  pool.emulator.calls.reset();
  pool.emulator.fault({ match: { project: "alpha" }, fault: { kind: "stall" } });
  const { names: listed, leftOut } = await listFiles(pool, "");
  expect([listed, leftOut]).toEqual([others, [expect.stringMatching(/=network$/)]]);
  expect(pool.emulator.calls.byProject("alpha")).toBe(1);
});

it("tries another key of the project before it leaves it out", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const names = await uploadAll(pool, [0, 1]);
  pool.emulator.setKeyState("test-key-0-a", "invalid");
  pool.emulator.setKeyState("test-key-1-b", "invalid");
  for (let round = 0; round < 3; round += 1) {
    const { names: listed, leftOut } = await listFiles(pool, "");
    expect([listed.toSorted(), leftOut]).toEqual([names.toSorted(), []]);
  }
});

it("goes on behind a project that died while its list was being read", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const names = await uploadAll(pool, [0, 0, 1, 1, 1, 2, 4]);
  let pages = 0;
  const listed = await listFiles(pool, "pageSize=3", () => {
    // The first page has shown one file of the second project.
    pages += 1;
    if (pages === 1) pool.emulator.setProjectState("beta", "suspended");
    return Promise.resolve();
  });
  const rest = [...names.slice(0, 2), ...names.slice(5)];
  expect(listed.names.filter((name) => !names.slice(2, 5).includes(name)).toSorted()).toEqual(
    rest.toSorted(),
  );
  expect(listed.names).toHaveLength(5);
  expect(listed.leftOut).toEqual([expect.stringMatching(/^k-/)]);
});

it("asks a large pool's holders only, as far as lists told of them", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const names = await uploadAll(pool, [3, 1, 4, 1, 3, 3, 1, 4]);
  await listFiles(pool, "pageSize=100");
  const { affinity } = pool.config;
  pool.gateway.reconfigure({ ...pool.config, affinity: { ...affinity, listProjects: 2 } });
  pool.emulator.calls.reset();
  for (const query of ["pageSize=100", "pageSize=2", "pageSize=1", "pageSize=2"]) {
    const { names: listed } = await listFiles(pool, query);
    expect(listed.toSorted()).toEqual(names.toSorted());
  }
  for (const name of ["alpha", "gamma"]) expect(pool.emulator.calls.byProject(name)).toBe(0);
});

it("passes on what Google says of a list that no project gives", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const [calls, answer] = [pool.emulator.calls, await fetch(`${pool.url}/v1beta/batches?pageSize=x`)];
  expect([answer.status, calls.total]).toEqual([400, 1]);
});

it("knows the owners of all that it has shown", async () => {
  await using pool = await startPool({ projects: PROJECTS, flags: { "affinity-search-projects": 0 } });
  await uploadAll(pool, [0, 1, 2, 3, 4, 4]);
  const { names } = await listFiles(pool, "pageSize=4", () => pool.restart());
  for (const name of names) expect((await fetch(`${pool.url}/v1beta/${name}`)).status).toBe(200);
  expect(pool.emulator.calls.foreignHits).toBe(0);
});

it("pages through OpenAI's lists by the item that comes before", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const names = await uploadAll(pool, [0, 1, 1, 3, 3, 3, 4]);
  const openai = new OpenAI({ apiKey: "client", baseURL: `${pool.url}/v1beta/openai`, maxRetries: 0 });
  for (const limit of [1, 2, 20]) {
    const ids = (await collect(openai.files.list({ limit }))).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(names.toSorted());
  }
  await expect(openai.files.list({ after: "files/unheard-of" })).rejects.toMatchObject({ status: 400 });
});

it("goes on with OpenAI's lists for who deletes what they show", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const names = await uploadAll(pool, [0, 1, 1, 3, 3, 3, 4]);
  const openai = new OpenAI({ apiKey: "client", baseURL: `${pool.url}/v1beta/openai`, maxRetries: 0 });
  for (const limit of [2, 3]) {
    const deleted: string[] = [];
    for await (const { id } of openai.files.list({ limit })) {
      await openai.files.delete(id);
      deleted.push(id);
    }
    expect(deleted.toSorted()).toEqual(names.toSorted());
    names.splice(0, names.length, ...(await uploadAll(pool, [0, 2, 2, 2, 2, 4])));
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
});

it("ends the calls of a list whose client has left", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  pool.emulator.fault({ match: { project: "alpha" }, fault: { kind: "stall" } });
  const leaving = new AbortController();
  const asked = fetch(`${pool.url}/v1beta/files`, { signal: leaving.signal });
  await pool.emulator.waitForCall(({ project, phase }) => project === "alpha" && phase === "held");
  leaving.abort();
  await expect(asked).rejects.toThrow("aborted");
  await pool.emulator.waitForCall(({ project, aborted }) => project === "alpha" && aborted);
  expect(await pool.requestLogged()).toMatchObject({ outcome: "caller-left", status: 499 });
  await pool.endsInBalance();
});

describe("every list", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await startPool({ projects: PROJECTS });
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  it.each(["nonsense", "union1.nonsense", encodeURIComponent("~")])(
    "refuses the page token %s in Google's shape",
    async (token) => {
      const before = pool.emulator.calls.total;
      const answer = await fetch(`${pool.url}/v1beta/files?pageToken=${token}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
      expect(pool.emulator.calls.total).toBe(before);
    },
  );

  it.each([
    [
      "cachedContents",
      "/cachedContents",
      { model: `models/${MODEL}`, contents: [{ parts: [{ text: LONG }] }] },
    ],
    ["operations", `/models/${MODEL}:batchGenerateContent`, BATCH, "batches"],
    ["fileSearchStores", "/fileSearchStores", { displayName: "s" }],
    ["tunedModels", "/tunedModels", { baseModel: `models/${MODEL}`, displayName: "t" }],
    ["agents", "/agents", { base_agent: "antigravity-preview-09-2026" }],
    ["webhooks", "/webhooks", { uri: "https://hook.example" }],
  ])("lists what projects hold as %s", async (field, path, body, collection = field) => {
    for (const { keys } of PROJECTS.slice(1, 4)) {
      const made = await fetch(`${pool.emulator.url}/v1beta${path}`, {
        method: "POST",
        headers: { "x-goog-api-key": keys[0] ?? "" },
        body: JSON.stringify(body),
      });
      expect([made.status, await made.text()]).toEqual([200, expect.any(String)]);
    }
    const items: unknown[] = [];
    let token: string | undefined = "";
    for (let page = 0; page < 3 && token !== undefined; page += 1) {
      const query = `pageSize=2&page_token=${encodeURIComponent(token)}`;
      const answer = await fetch(`${pool.url}/v1beta/${collection}?${query}`);
      const list = (await answer.json()) as Record<string, unknown[]> & {
        readonly nextPageToken?: string;
        readonly next_page_token?: string;
      };
      items.push(...(list[field] ?? []));
      token = list.nextPageToken ?? list.next_page_token;
    }
    expect([items.length, token]).toEqual([3, undefined]);
  });
});

it("bears the gateway's address in its files, where that is set", async () => {
  await using pool = await startPool({ projects: PROJECTS, flags: { "file-uris": "gateway" } });
  const name = await upload(pool, 1);
  const answer = await fetch(`${pool.url}/v1beta/files`);
  expect(await answer.json()).toMatchObject({ files: [{ name, uri: `${pool.url}/v1beta/${name}` }] });
});
