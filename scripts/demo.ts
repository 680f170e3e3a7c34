/**
 * `pnpm demo`: an imitation of Gemini, the real gateway in front of it, and a few requests through both with Google's
 * own SDK. Keeps serving until Ctrl-C; with `--once` it ends after the requests, with exit code 0 only if all went well.
 */
import { GoogleGenAI } from "@google/genai";
import { startEmulator, type Emulator } from "gemini-emulator";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../packages/gateway/bin/gemini-gateway.js", import.meta.url));
const MODEL = "gemini-3.5-flash-lite";
const AUTH_KEY = "demo-client";
const PORT = 55_200;
const WORKERS = 4;
/** Longest wait for the gateway to listen, milliseconds. */
const START_MS = 20_000;
/** Requests sent at most until one is seen to change keys. */
const FAILOVER_TRIES = 10;

const PROJECTS = [
  { name: "alpha", keys: ["demo-key-alpha-1", "demo-key-alpha-2"] },
  { name: "beta", keys: ["demo-key-beta"] },
  { name: "gamma", keys: ["demo-key-gamma"] },
];

async function main(isOnce: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gemini-gateway-demo-"));
  using cleanup = new DisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  await using emulator = await startEmulator({ projects: PROJECTS });
  say(`An imitation of Gemini with ${PROJECTS.length} projects runs at ${emulator.url}`);

  const gateway = spawnGateway(folder, emulator.url, (await isFree(PORT)) ? PORT : 0);
  const exited = once(gateway, "exit");
  // Whatever ends us ends the gateway first, which drains; a second signal ends that at once.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => gateway.kill("SIGTERM"));
  try {
    const url = await listeningUrl(gateway);
    say(`The gateway runs in front of it at ${url} with ${WORKERS} workers\n`);
    await sendRequests(url, emulator);
    if (!isOnce) {
      invite(url);
      await exited;
    }
  } finally {
    if (gateway.exitCode === null) gateway.kill("SIGTERM");
    await exited;
  }
}

function spawnGateway(folder: string, upstream: string, port: number): ChildProcess {
  mkdirSync(join(folder, "keys"));
  const keyFile = PROJECTS.map(({ name, keys }) => `# project: ${name}\n${keys.join("\n")}\n`).join("");
  writeFileSync(join(folder, "keys", "demo.txt"), keyFile);
  const flags = [
    "--workers",
    String(WORKERS),
    "--port",
    String(port),
    "--upstream",
    upstream,
    "--log-format",
    "json",
  ];
  return spawn(process.execPath, [PROGRAM, "serve", ...flags], {
    cwd: folder,
    env: { ...process.env, AUTH_KEY: `demo=${AUTH_KEY}` },
    stdio: ["ignore", "pipe", "inherit"],
    // Out of the terminal's reach: it would get Ctrl-C itself, and ours on top as the second signal.
    detached: true,
  });
}

/** Where it listens, from its log. */
function listeningUrl(gateway: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the gateway did not start in time")), START_MS);
    gateway.once("exit", (code) =>
      reject(new Error(`the gateway ended with code ${code} before it listened`)),
    );
    createInterface({ input: gateway.stdout as Readable }).on("line", (line) => {
      const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
      if (msg !== "listening" || url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

async function sendRequests(url: string, emulator: Emulator): Promise<void> {
  const headers = { "x-gateway-debug": "1" };
  const ai = new GoogleGenAI({ apiKey: AUTH_KEY, httpOptions: { baseUrl: url, headers } });

  say("1. A request with @google/genai, only its base URL changed:");
  const answer = await ai.models.generateContent({ model: MODEL, contents: "What is a gateway?" });
  say(`   ${answer.text}\n   keys tried: ${attemptsOf(answer)}\n`);

  say("2. The same, streamed:");
  const stream = await ai.models.generateContentStream({ model: MODEL, contents: "Count to three" });
  const pieces: string[] = [];
  for await (const { text } of stream) pieces.push(text ?? "");
  say(`   ${pieces.map((piece) => JSON.stringify(piece)).join(" + ")}\n`);
  if (pieces.length < 2) throw new Error("the streamed answer came in one piece");

  say("3. Project alpha has used up its day and Google suspends beta: the next request fails over, unseen:");
  emulator.fault({ match: { project: "alpha" }, fault: { kind: "error", error: "quota-day" } });
  emulator.setProjectState("beta", "suspended");
  for (let tries = 0; tries < FAILOVER_TRIES; tries += 1) {
    const served = await ai.models.generateContent({ model: MODEL, contents: "Are you still there?" });
    if (!attemptsOf(served).includes(",")) continue;
    say(`   ${served.text}\n   keys tried: ${attemptsOf(served)}\n`);
    return;
  }
  throw new Error("no request was seen to change keys");
}

function attemptsOf(answer: {
  readonly sdkHttpResponse?: { readonly headers?: Record<string, string> };
}): string {
  return answer.sdkHttpResponse?.headers?.["x-gateway-attempts"] ?? "?";
}

function invite(url: string): void {
  say(`All went well. The gateway keeps serving; point a client's base URL at ${url}, or try:\n`);
  say(`  curl ${url}/v1beta/models/${MODEL}:generateContent \\`);
  say(`    -H 'x-goog-api-key: ${AUTH_KEY}' -H 'content-type: application/json' \\`);
  say(`    -d '{"contents":[{"parts":[{"text":"Hello"}]}]}'\n`);
  say("Ctrl-C ends it.");
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  return promise;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await main(process.argv.includes("--once"));
} catch (error) {
  process.stderr.write(`The demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
