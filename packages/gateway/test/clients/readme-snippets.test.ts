import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "../harness/pool.ts";

/** What the README tells its readers to call. */
const README_URL = "http://127.0.0.1:55200";
const README = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
/** Where the clients can be imported from. */
const PACKAGE_FOLDER = fileURLToPath(new URL("../..", import.meta.url));
/** Longest a snippet may take, milliseconds: it loads a whole client first, on a busy machine. */
const SNIPPET_MS = 15_000;

const run = promisify(execFile);

let pool: Pool;
beforeAll(async () => {
  pool = await startPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

/** Code of the README's fences in one language, with the test's gateway in place of the README's. */
function snippets(language: string): readonly string[] {
  const [, clients = ""] = README.split("\n## Use it from your client\n");
  return [...clients.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter(([, fenced]) => fenced === language)
    .map(([, , code = ""]) => code);
}

function here(text: string): string {
  return text.replaceAll(README_URL, pool.url);
}

/** What a module prints. */
async function printed(code: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await run(process.execPath, ["--input-type=module-typescript", "--eval", code], {
    cwd: PACKAGE_FOLDER,
    env: { PATH: process.env["PATH"], ...env },
    timeout: SNIPPET_MS,
  });
  return stdout;
}

describe("a snippet of the README, run as it stands, prints an answer", () => {
  const modules = snippets("ts").map((code) => ({ client: /^\/\/ ([\w@/ -]+)/.exec(code)?.[1], code }));

  it("in every client named on the first screen", () => {
    expect(modules.map(({ client }) => client)).toEqual(["@google/genai", "openai", "AI SDK", "LangChain"]);
  });

  it.each(modules)("$client", async ({ code }) => {
    expect(await printed(here(code))).toContain("Hello from project");
  });

  it("curl", async (context) => {
    const [command = ""] = snippets("sh");
    expect(command).toContain(README_URL);
    const hasCurl = await run("curl", ["--version"]).then(
      () => true,
      () => false,
    );
    if (!hasCurl) return context.skip("this machine has no curl");
    const { stdout } = await run("sh", ["-c", here(command)], { timeout: SNIPPET_MS });
    expect(stdout).toContain("Hello from project");
  });
});

describe("an environment variable of the README is all a client needs", () => {
  it.each([
    {
      variable: "GOOGLE_GEMINI_BASE_URL",
      key: "GEMINI_API_KEY",
      code: `import { GoogleGenAI } from "@google/genai";
        const answer = await new GoogleGenAI({}).models.generateContent({ model: "gemini-3.5-flash-lite", contents: "Hello" });
        console.log(answer.text);`,
    },
    {
      variable: "OPENAI_BASE_URL",
      key: "OPENAI_API_KEY",
      code: `import OpenAI from "openai";
        const messages = [{ role: "user", content: "Hello" }];
        const answer = await new OpenAI().chat.completions.create({ model: "gemini-3.5-flash-lite", messages });
        console.log(answer.choices[0].message.content);`,
    },
  ])("$variable", async ({ variable, key, code }) => {
    const value = new RegExp(`\`${variable}=([^\`]+)\``).exec(README)?.[1] ?? "";
    expect(await printed(code, { [variable]: here(value), [key]: "any" })).toContain("Hello from project");
  });
});
