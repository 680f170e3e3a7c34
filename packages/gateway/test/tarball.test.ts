/**
 * The published package works away from this repository: packed, installed by npm in an empty folder, started there.
 * It needs the npm registry for the package's own dependencies and is skipped, saying so, when there is none.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const COMMAND_TIMEOUT_MS = 60_000;
const SETUP_TIMEOUT_MS = 3 * COMMAND_TIMEOUT_MS;

/** The pnpm that runs this test, or, when vitest was called by itself, the one the README names. */
const PNPM = process.env["npm_config_user_agent"]?.startsWith("pnpm/")
  ? (["pnpm"] as const)
  : (["npx", "--yes", "pnpm@12"] as const);

/** What the gateway says on standard output when it can be reached. */
const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;

/** Our environment without what pnpm told its scripts, and with this Node first: npm must not see the workspace. */
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_|^GEMINI_|^AUTH_KEY$/i.test(name)),
  ),
  PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
  // npm runs on this Node here, and must reach the registry wherever the system's own npm does.
  NODE_USE_SYSTEM_CA: "1",
};

/** Runs a program to its end; one that hangs is ended, so that it does not outlive the test. */
function run(program: string, args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  return promisify(execFile)(program, args, { cwd, env, timeout: COMMAND_TIMEOUT_MS });
}

/** Asked with an empty cache: npm answers from a full one when the registry is out of reach. */
async function isRegistryReachable(): Promise<boolean> {
  const cache = await mkdtemp(join(tmpdir(), "npm-cache-"));
  try {
    await run("npm", ["view", "yargs", "version", "--fetch-retries=0", "--cache", cache], cache);
    return true;
  } catch {
    return false;
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

describe.skipIf(!(await isRegistryReachable()))(
  "the packed gateway (skipped when no npm registry answers)",
  () => {
    let folder: string;
    let manifest: { readonly version: string; readonly dependencies: Readonly<Record<string, string>> };
    let installed: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "gemini-gateway-tarball-"));
      // With its files goes the code compiled from them: the next run installs them elsewhere.
      env["NODE_COMPILE_CACHE"] = join(folder, "compiled");
      const [pnpm, ...first] = PNPM;
      await run(pnpm, [...first, "pack", "--pack-destination", folder], ROOT);
      const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
      await writeFile(join(folder, "package.json"), `{"private": true}`);
      await run("npm", ["install", "--no-audit", "--no-fund", `./${tarball}`], folder);
      installed = join(folder, "node_modules/gemini-gateway");
      manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    }, SETUP_TIMEOUT_MS);

    afterAll(() => rm(folder, { recursive: true, force: true }));

    test("holds JavaScript, the README and the licence, and no source", async () => {
      const names = await readdir(installed, { recursive: true });
      expect(names).toEqual(
        expect.arrayContaining(["LICENSE", "README.md", "bin/gemini-gateway.js", "dist/cli.js"]),
      );
      expect(names.filter((name) => name.endsWith(".ts"))).toEqual([]);
    });

    test("depends on nothing of the workspace", () => {
      expect(Object.values(manifest.dependencies).filter((range) => range.startsWith("workspace:"))).toEqual(
        [],
      );
      expect(
        Object.keys(manifest.dependencies).filter((name) => name.startsWith("@gemini-gateway/")),
      ).toEqual([]);
    });

    test("says its version", async () => {
      const { stdout } = await run("npx", ["gemini-gateway", "--version"], folder);
      expect(stdout.trim()).toBe(manifest.version);
    });

    test("serves from its own threads and ends well", { timeout: 60_000 }, async () => {
      const bin = join(folder, "node_modules/.bin/gemini-gateway");
      const gateway = spawn(process.execPath, [bin, "serve", "--port", "0", "--workers", "2"], {
        cwd: folder,
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exit = once(gateway, "exit");
      try {
        const address = await addressOf(createInterface({ input: gateway.stdout }));
        const health = await fetch(`${address}/healthz`);
        expect(health.status).toBe(200);
        // No key in an empty folder: the request is answered, by a worker, in Google's shape.
        const models = await fetch(`${address}/v1beta/models`);
        expect(models.status).toBe(503);
        expect(await models.json()).toMatchObject({ error: { code: 503 } });
      } finally {
        gateway.kill("SIGTERM");
      }
      expect(await exit).toEqual([0, null]);
    });
  },
);

/** Reads lines until one names the address; rejects when the program ends without having named it. */
async function addressOf(lines: AsyncIterable<string>): Promise<string> {
  const said: string[] = [];
  for await (const line of lines) {
    const address = ADDRESS.exec(line)?.[0];
    if (address !== undefined) return address;
    said.push(line);
  }
  throw new Error(`the gateway ended without naming its address:\n${said.join("\n")}`);
}
