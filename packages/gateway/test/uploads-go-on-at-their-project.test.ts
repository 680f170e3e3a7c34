/** Uploads through the gateway: whoever begins one goes on with it at the project that took it, by its URL alone. */
import { GoogleGenAI } from "@google/genai";
import { GoogleGenAI as GoogleGenAI1 } from "@google/genai-1";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

const PROJECTS = ["alpha", "beta", "gamma", "delta", "epsilon"].map((name) => ({
  name,
  keys: [`test-key-${name}`],
}));

async function poolWith(options: Parameters<typeof startPool>[0] = {}): Promise<Pool> {
  return stack.use(await startPool({ projects: PROJECTS, ...options }));
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
