/** The list of models is what the pool can serve: what some project may use, aliases among it, asked for now and then. */
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { expect, it } from "vitest";
import { collect } from "./harness/collect.ts";
import { addClient } from "./harness/guard.ts";
import { startPool, type Pool, type PoolOptions } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

const [FLASH, PRO, OLD] = ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash"] as const;
const PROJECTS = [
  { name: "alpha", keys: ["test-key-1"], closedModels: [PRO] },
  { name: "beta", keys: ["test-key-2"], closedModels: [FLASH, OLD] },
  { name: "gamma", keys: ["test-key-3"], closedModels: [FLASH, PRO, OLD] },
];

function start(options: PoolOptions = {}): Promise<Pool> {
  return startPool({ projects: PROJECTS, ...options, flags: { workers: 1, ...options.flags } });
}

function clientsOf({ url }: Pool): { readonly openai: OpenAI; readonly ai: GoogleGenAI } {
  return {
    openai: new OpenAI({ apiKey: "client", baseURL: `${url}/v1beta/openai`, maxRetries: 0 }),
    ai: new GoogleGenAI({ apiKey: "client", httpOptions: { baseUrl: url } }),
  };
}

async function openaiNames(pool: Pool): Promise<string[]> {
  return (await collect(clientsOf(pool).openai.models.list())).map(({ id }) => id);
}

async function nativeNames(pool: Pool, pageSize: number): Promise<(string | undefined)[]> {
  const pager = await clientsOf(pool).ai.models.list({ config: { pageSize } });
  return (await collect(pager)).map(({ name }) => name);
}

it("shows what any project may use once, in both dialects, whatever the pages", async () => {
  await using pool = await start();
  const names = await openaiNames(pool);
  for (const model of [FLASH, PRO, OLD])
    expect(names.filter((name) => name === `models/${model}`)).toHaveLength(1);
  for (const pageSize of [3, 100]) expect(new Set(await nativeNames(pool, pageSize))).toEqual(new Set(names));
  await pool.endsInBalance();
});

it("asks each project once for all who ask meanwhile and soon afterwards", async () => {
  await using pool = await start();
  const lists = await Promise.all(Array.from({ length: 5 }, () => openaiNames(pool)));
  for (const list of [...lists, await openaiNames(pool)]) expect(list).toEqual(lists[0]);
  expect(pool.emulator.calls.total).toBe(PROJECTS.length);
});

it("leaves out what a request has shown no project may use", async () => {
  const quotas = { [FLASH]: { rpm: 0 } };
  const projects = ["alpha", "beta"].map((name, index) => ({ name, keys: [`test-key-${index}`], quotas }));
  await using pool = await start({ projects });
  expect(await openaiNames(pool)).toContain(`models/${FLASH}`);
  expect((await ask(pool.url, { path: `/v1beta/models/${FLASH}:generateContent` })).status).toBe(429);
  await pool.restart();
  const names = await openaiNames(pool);
  expect(names).not.toContain(`models/${FLASH}`);
  expect(names).toContain(`models/${PRO}`);
});

it("does without a project that cannot serve, and names it", async () => {
  await using pool = await start();
  pool.emulator.setProjectState("beta", "suspended");
  const answer = await fetch(`${pool.url}/v1beta/models?pageSize=1000`);
  const { models } = (await answer.json()) as { models: { name: string }[] };
  expect(models.map(({ name }) => name)).not.toContain(`models/${PRO}`);
  expect(answer.headers.get("x-gateway-left-out")).toMatch(/^k-\w{12}=[a-z-]+$/);
  for (const { name } of PROJECTS) pool.emulator.setProjectState(name, "suspended");
  await pool.restart();
  expect((await fetch(`${pool.url}/v1beta/models`)).status).toBe(503);
});

it("shows aliases beside the models that they stand for, and in place of one that is called so", async () => {
  const aliases = [`gpt-4o-mini=${FLASH}`, `${OLD}=${PRO}`, "gone=made-up"];
  await using pool = await start({ flags: { "model-alias": aliases } });
  const names = await openaiNames(pool);
  expect(names.filter((name) => /gpt|gone|2\.0/.test(name))).toEqual(["gpt-4o-mini", OLD]);
  const native = await nativeNames(pool, 4);
  expect(native.filter((name = "") => /gpt|gone|2\.0/.test(name))).toEqual([
    "models/gpt-4o-mini",
    `models/${OLD}`,
  ]);
  const { openai } = clientsOf(pool);
  expect(await openai.models.retrieve("gpt-4o-mini")).toMatchObject({ id: `models/${FLASH}` });
  pool.gateway.reconfigure({ ...pool.config, modelAlias: [] });
  expect((await openaiNames(pool)).filter((name) => name.includes("gpt"))).toEqual([]);
});

it("shows a named client the models that it may use", async () => {
  await using pool = await start({ flags: { "model-alias": [`gpt=${FLASH}`, `o1=${PRO}`] } });
  const apiKey = await addClient(pool, "alice", { models: ["gemini-2.5-fl*"] });
  const openai = new OpenAI({ apiKey, baseURL: `${pool.url}/v1beta/openai`, maxRetries: 0 });
  const names = async (): Promise<string[]> => (await collect(openai.models.list())).map(({ id }) => id);
  const mine = [`models/${FLASH}`, `models/${FLASH}-lite`, "gpt"];
  await expect.poll(async () => (await names()).toSorted(), { timeout: 8_000 }).toEqual(mine.toSorted());
});

it("asks a sample of a large pool", async () => {
  const projects = Array.from({ length: 30 }, (_, index) => ({
    name: `p${index}`,
    keys: [`test-key-${index}`],
  }));
  await using pool = await start({ projects, flags: { "affinity-list-projects": 5 } });
  expect((await openaiNames(pool)).length).toBeGreaterThan(10);
  expect(pool.emulator.calls.total).toBe(5);
});

it("stops asking when nobody waits for the list any more", async () => {
  await using pool = await start();
  pool.emulator.fault({ match: { project: "alpha" }, fault: { kind: "stall" } });
  const leaving = new AbortController();
  const asked = fetch(`${pool.url}/v1beta/models`, { signal: leaving.signal });
  await pool.emulator.waitForCall(({ phase }) => phase === "held");
  leaving.abort();
  await expect(asked).rejects.toThrow("aborted");
  await pool.emulator.waitForCall(({ project, aborted }) => project === "alpha" && aborted);
  pool.emulator.clearFaults();
  expect((await fetch(`${pool.url}/v1beta/models`)).status).toBe(200);
  await pool.endsInBalance();
});
