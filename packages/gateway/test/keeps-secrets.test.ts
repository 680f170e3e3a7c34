/** Every way in which a key could come to light, tried in one pool; then everything it said or stored is searched. */
import Database from "better-sqlite3";
import type { Fault } from "gemini-emulator/fault-rules";
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectControl } from "../src/control/client.ts";
import { startConnectProxy, type ConnectProxy } from "./harness/connect-proxy.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask, MODEL, promptBody } from "./harness/requests.ts";

/** Text that looks random, the same in every run. */
const randomLooking = (name: string): string => hash("sha256", name, "base64url").slice(0, 32);
const KEYS = Array.from({ length: 48 }, (_, index) => `test-key-${randomLooking(String(index))}`);
const AUTH_KEY = `test-auth-key-${randomLooking("auth")}`;
const PROXY_PASSWORD = `test-password-${randomLooking("proxy")}`;
/** What a stranger shows: no secret of ours, yet somebody's. */
const STRANGERS_KEY = `test-stranger-${randomLooking("stranger")}`;
/** Characters of a secret that are too many to be shown. The parts all test keys share are shorter, but "test-stranger". */
const SHOWN_MAX = 12;

const PATH = `/v1beta/models/${MODEL}`;
const ROUTES = [
  `${PATH}:generateContent`,
  `${PATH}:streamGenerateContent?alt=sse`,
  `${PATH}:streamGenerateContent`,
  `${PATH}:countTokens`,
  "/v1beta/openai/chat/completions",
];

/** Everything an answer of the upstream could hold the key in. */
function echoes(key: string): Fault[] {
  const candidate = `{"candidates":[{"content":{"parts":[{"text":"a ${key} b"}]},"finishReason":"STOP"}]}`;
  const escaped = key.replace(/[a-e]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
  const message = `Consumer api_key:${key} or ${escaped} or ${encodeURIComponent(key).replace("-", "%2D")}`;
  const error = `{"error":{"code":400,"message":"${message}","status":"INVALID_ARGUMENT"}}`;
  const json = { "content-type": "application/json" };
  return [
    {
      kind: "custom",
      status: 400,
      body: error,
      headers: { ...json, "x-echo": key, location: `/?key=${key}` },
    },
    { kind: "custom", status: 200, body: candidate, headers: { ...json, "x-echo": `a ${key} b` } },
    {
      kind: "custom",
      status: 200,
      body: `data: ${candidate}\r\n\r\n`,
      headers: { "content-type": "text/event-stream" },
    },
    {
      kind: "custom",
      status: 503,
      body: `<html>${key}</html>`,
      headers: { "content-type": "text/html", "retry-after": key },
    },
    { kind: "custom", status: 404, body: key, headers: { "content-type": "text/plain" } },
    { kind: "custom", status: 302, body: "", headers: { location: `https://elsewhere.example/?key=${key}` } },
  ];
}

/** Faults of the emulator that end an answer in the middle, with the key in the last words of some. */
const LATE: Fault[] = [
  { kind: "late-error-event", afterEvents: 1, error: "suspended" },
  { kind: "raw-json-tail", afterEvents: 1, error: "suspended" },
  { kind: "reset", afterEvents: 1, midEvent: true },
  { kind: "truncated-length" },
  { kind: "invalid-json" },
  { kind: "empty-stream" },
  { kind: "reset" },
  { kind: "html" },
  { kind: "suspended-echo" },
];

const said: string[] = [];
let proxy: ConnectProxy;
let pool: Pool;

async function hear(path: string, headers: Record<string, string> = {}): Promise<void> {
  const body = path.includes("openai")
    ? JSON.stringify({ model: MODEL, stream: true, messages: [{ role: "user", content: "hi" }] })
    : promptBody();
  const response = await ask(pool.url, {
    path,
    body,
    headers: { "x-goog-api-key": AUTH_KEY, "x-gateway-debug": "1", ...headers },
    redirect: "manual",
  });
  const lines = Array.from(response.headers, ([name, value]) => `${name}: ${value}`);
  const text = await response.text().catch((error: unknown) => String(error));
  said.push(`${path.split("?")[0]} ${response.status}\n${lines.join("\n")}\n${text}`);
}

beforeAll(async () => {
  proxy = await startConnectProxy({ credentials: `user:${PROXY_PASSWORD}` });
  pool = await startPool({
    projects: KEYS.map((key, index) => ({ name: `p${index}`, keys: [key] })),
    flags: {
      workers: 1,
      "auth-key": `team=${AUTH_KEY}`,
      "log-level": "trace",
      "rest-overloaded-min": "10ms",
      "rest-overloaded-max": "10ms",
      proxy: proxy.url.href.replace("//", `//user:${PROXY_PASSWORD}@`),
    },
  });
  for (const index of [0, 1, 2, 3, 4, 5]) {
    const undo = KEYS.map((key) => pool.emulator.fault({ match: { key }, fault: echoes(key)[index]! }));
    for (const route of ROUTES) await hear(route);
    for (const take of undo) take();
  }
  for (const fault of LATE) {
    const undo = [
      pool.emulator.fault({ fault: { kind: "bytewise", bytes: 7 } }),
      pool.emulator.fault({ fault }),
    ];
    for (const route of ROUTES.slice(0, 3)) await hear(route);
    for (const take of undo) take();
  }
  await hear(ROUTES[0]!, { "x-goog-api-key": STRANGERS_KEY });
  await hear(`${ROUTES[0]}?key=${STRANGERS_KEY}`, { authorization: `Bearer ${STRANGERS_KEY}` });
  await hear(`/nowhere?key=${STRANGERS_KEY}`);
  await pool.requestLogged(({ path }) => path.startsWith("/nowhere"));
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

/** The longest part of a secret that the text shows, when it is too long. */
function shown(text: string): string | undefined {
  for (const secret of [...KEYS, AUTH_KEY, PROXY_PASSWORD, STRANGERS_KEY]) {
    for (let at = 0; at + SHOWN_MAX <= secret.length; at += 1) {
      const part = secret.slice(at, at + SHOWN_MAX);
      if (!"test-stranger-test-password-test-auth-key-".includes(part) && text.includes(part)) {
        const where = text.indexOf(part);
        return text.slice(Math.max(0, where - 200), where + 60);
      }
    }
  }
  return undefined;
}

describe("no part of a secret is in", () => {
  it("answers, their headers and bodies", () => {
    expect(said.length).toBeGreaterThan(50);
    // What was tried has happened: keys were echoed, and hidden.
    expect(said.join("\n")).toContain("[redacted]");
    expect(said.join("\n")).toContain("a ***********");
    for (const answer of said) expect(shown(answer)).toBeUndefined();
  });

  it("the log, at its most talkative", () => {
    expect(pool.logLines.length).toBeGreaterThan(50);
    for (const line of pool.logLines) expect(shown(line)).toBeUndefined();
  });

  it("what is told of the gateway while it runs", async () => {
    const control = await connectControl(pool.config.database);
    const told = [
      await control?.status(),
      await control?.listKeys(),
      await (await fetch(`${pool.url}/healthz`)).text(),
      await (await fetch(`${pool.url}/readyz`)).text(),
    ];
    const text = JSON.stringify(told);
    expect(text).toContain("suspended");
    expect(shown(text)).toBeUndefined();
  });

  it("what the command line prints", async () => {
    const program = join(import.meta.dirname, "../bin/gemini-gateway.js");
    const { database, keysDir } = pool.config;
    const options = ["--database", database, "--keys-dir", keysDir];
    const secrets = ["--auth-key", AUTH_KEY, "--proxy", pool.config.proxy];
    for (const args of [
      ["keys", "list", ...options],
      ["keys", "list", "--json", ...options],
      ["status", ...options],
      ["status", "--json", ...options],
      ["config", "show", ...options, ...secrets],
    ]) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args]);
      expect(stdout.length).toBeGreaterThan(20);
      expect(shown(stdout + stderr)).toBeUndefined();
    }
  });

  it("the database, but for the one column made for keys", async () => {
    await pool.gateway.stop();
    using database = openReadOnly(pool.config.database);
    const tables = database
      .rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .map(({ name }) => String(name));
    expect(tables).toContain("request_log");
    for (const table of tables) {
      const rows = database.rows(`SELECT * FROM "${table}"`);
      const others = rows.map(({ secret: _secret, ...rest }) => rest);
      expect(shown(JSON.stringify(others))).toBeUndefined();
    }
    expect(database.rows("SELECT * FROM request_log").length).toBeGreaterThan(50);
  });
});

interface ReadOnlyDatabase extends Disposable {
  rows(query: string): Record<string, unknown>[];
}

function openReadOnly(file: string): ReadOnlyDatabase {
  const database = new Database(file, { readonly: true });
  return {
    rows: (query) => database.prepare<[], Record<string, unknown>>(query).all(),
    [Symbol.dispose]: () => void database.close(),
  };
}
