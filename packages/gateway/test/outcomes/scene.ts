/**
 * What the outcome tests share: the ways in which clients ask and read, pools in which exactly one thing goes wrong,
 * and the check that every lease use ended once. Tests only.
 */
import type { LaneState } from "@gemini-gateway/core/lane";
import type { Fault, FaultRule } from "gemini-emulator/fault-rules";
import type { ProjectSpec } from "gemini-emulator/project-spec";
import { expect } from "vitest";
import { startPool, type Pool, type PoolOptions } from "../harness/pool.ts";
import { eventsOf } from "../harness/requests.ts";

/** Text of every prompt: long enough for several events, and told back by the emulator once. */
const PROMPT = "say it once";

export type WayName = "native" | "sse" | "json-array" | "openai" | "openai-stream";

/** One way of asking the model, and of reading what it says. */
export interface Way {
  readonly name: WayName;
  /** Where to ask for `model`. */
  path(model: string): string;
  body(model: string, text: string): object;
  readonly streams: boolean;
  /** Whether errors come as `[{"error": …}]`. */
  readonly wrapsErrors: boolean;
  /** Every text in a whole answer, joined. */
  textOf(body: string): string;
}

const native = (_model: string, text: string): object => ({
  contents: [{ role: "user", parts: [{ text }] }],
});
const chat = (model: string, text: string): object => ({
  model,
  messages: [{ role: "user", content: text }],
});

export const WAYS: readonly Way[] = [
  {
    name: "native",
    path: (model) => `/v1beta/models/${model}:generateContent`,
    body: native,
    streams: false,
    wrapsErrors: false,
    textOf: (body) => nativeText(JSON.parse(body)),
  },
  {
    name: "sse",
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: native,
    streams: true,
    wrapsErrors: false,
    textOf: (body) => eventsOf(body).map(nativeText).join(""),
  },
  {
    name: "json-array",
    path: (model) => `/v1/models/${model}:streamGenerateContent`,
    body: native,
    streams: true,
    wrapsErrors: true,
    textOf: (body) => (JSON.parse(body) as unknown[]).map(nativeText).join(""),
  },
  {
    name: "openai",
    path: () => "/v1beta/openai/chat/completions",
    body: chat,
    streams: false,
    wrapsErrors: true,
    textOf: (body) => chatText(JSON.parse(body)),
  },
  {
    name: "openai-stream",
    path: () => "/v1/chat/completions",
    body: (model, text) => ({ ...chat(model, text), stream: true }),
    streams: true,
    wrapsErrors: true,
    textOf: (body) => eventsOf(body).map(chatText).join(""),
  },
];

export const NATIVE = wayNamed("native");
export const STREAMS = WAYS.filter(({ streams }) => streams);

export function wayNamed(name: WayName): Way {
  const way = WAYS.find((each) => each.name === name);
  if (way === undefined) throw new Error(`no such way: ${name}`);
  return way;
}

function nativeText(value: unknown): string {
  const { candidates = [] } = value as { candidates?: { content?: { parts?: { text?: string }[] } }[] };
  return candidates
    .flatMap(({ content }) => content?.parts ?? [])
    .map(({ text }) => text ?? "")
    .join("");
}

interface ChatPiece {
  readonly content?: string | null;
}

function chatText(value: unknown): string {
  const { choices = [] } = value as { choices?: { message?: ChatPiece; delta?: ChatPiece }[] };
  return choices.map(({ message, delta }) => (message ?? delta)?.content ?? "").join("");
}

export const MODEL = "gemini-2.5-flash";

export interface AskFor {
  readonly model?: string;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks in one of the ways, as a client that has the gateway's auth key. */
export function askIn(way: Way, pool: Pool, asked: AskFor = {}): Promise<Response> {
  const { model = MODEL, text = PROMPT, headers = {}, signal } = asked;
  return fetch(pool.url + way.path(model), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-goog-api-key": AUTH_KEY,
      "x-gateway-debug": "1",
      ...headers,
    },
    body: JSON.stringify(way.body(model, text)),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** An answer read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Outcomes of the attempts, in order, from the trail an authenticated caller may see. */
  readonly attempts: readonly string[];
}

export async function answerIn(way: Way, pool: Pool, asked: AskFor = {}): Promise<Answer> {
  const response = await askIn(way, pool, asked);
  const trail = response.headers.get("x-gateway-attempts") ?? "";
  const attempts = trail === "" ? [] : trail.split(", ").map((note) => note.slice(note.indexOf("=") + 1));
  return { status: response.status, headers: response.headers, body: await response.text(), attempts };
}

/** The one sentence of the emulated model, said once and by one project. */
export function expectServedOnce(way: Way, answer: Answer): void {
  expect(answer.status).toBe(200);
  const text = way.textOf(answer.body);
  expect(text).toMatch(/^Hello from project \w+: you said "say it once"$/);
  expect(answer.body).not.toContain('"error"');
}

export interface ErrorSeen {
  readonly code: number;
  readonly status: string;
  readonly message: string;
  readonly details?: readonly { readonly "@type": string; readonly retryDelay?: string }[];
}

/** The error in an answer's body, which must have the form of the way it was asked in. */
export function errorIn(way: Way, answer: Answer): ErrorSeen {
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  const value = JSON.parse(answer.body) as { error: ErrorSeen } | readonly { error: ErrorSeen }[];
  expect(Array.isArray(value)).toBe(way.wrapsErrors);
  const [first] = [value].flat();
  if (first === undefined) throw new Error(`no error in ${answer.body}`);
  expect(first.error.code).toBe(answer.status);
  return first.error;
}

/** Seconds of `Retry-After`; the body's RetryInfo, where the gateway wrote the body, must say the same. */
export function retryAfterOf(answer: Answer): number {
  return Number(answer.headers.get("retry-after") ?? Number.NaN);
}

export function retryInfoOf(error: ErrorSeen): number {
  const info = error.details?.find(
    (detail) => detail["@type"] === "type.googleapis.com/google.rpc.RetryInfo",
  );
  return Number.parseFloat(info?.retryDelay ?? "NaN");
}

const AUTH_KEY = "test-auth-key";

/** `count` projects of one key each: project `p1` with `test-key-1`, and so on. */
export function soloProjects(count: number): readonly ProjectSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `p${index + 1}`,
    number: String(1000 + index),
    keys: [`test-key-${index + 1}`],
  }));
}

/** The first call that meets it fails so; all others are served. */
export function once(fault: Fault): FaultRule {
  return { times: 1, fault };
}

/** Every call fails so. */
export function always(fault: Fault): FaultRule {
  return { fault };
}

/**
 * Runs a test on a pool of one worker with auth key and attempt trails, then drains it: every lease use must have ended
 * by itself and every upstream call must be done, whatever the test did to them.
 */
export async function onPool(options: PoolOptions, test: (pool: Pool) => Promise<void>): Promise<void> {
  const flags = { workers: 1, "auth-key": AUTH_KEY, ...options.flags };
  await using pool = await startPool({ projects: soloProjects(3), ...options, flags });
  await test(pool);
  await pool.endsInBalance();
}

/** The key of the `nth` upstream call, 0-based. */
export function keyOfCall(pool: Pool, nth: number): string {
  const call = pool.emulator.calls.recent()[nth];
  if (call === undefined) throw new Error(`there was no call ${nth}`);
  return call.key;
}

/** What the scheduler holds of a key's project for one model; "untried" when it was never asked. */
export function laneOf(pool: Pool, secret: string, model: string = MODEL): LaneState {
  return pool.keyView(secret).lanes.find((lane) => lane.model === model)?.state ?? { kind: "untried" };
}
