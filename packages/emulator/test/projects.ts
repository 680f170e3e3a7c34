/** Two projects and short ways to speak for either: what the tests of resources share. */
import { startEmulator } from "../src/emulator.ts";
import type { Emulator, EmulatorOptions } from "../src/emulator.ts";

/** Of project alpha, and of project beta. */
export const ALPHA = "test-key-1";
export const BETA = "test-key-3";

export type Json = Readonly<Record<string, unknown>>;

/** An emulator with the default projects alpha and beta. */
export function startProjects(options: EmulatorOptions = {}): Promise<Emulator> {
  return startEmulator(options);
}

export interface Ask {
  readonly key?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request; GET without a body, POST with one. Redirects are shown, not followed. */
export function ask(emulator: Emulator, path: string, options: Ask = {}): Promise<Response> {
  const { key = ALPHA, body, headers = {} } = options;
  const isBytes = typeof body === "string" || body instanceof Uint8Array || body instanceof FormData;
  const sent = body === undefined || isBytes ? body : JSON.stringify(body);
  const type = body === undefined || isBytes ? {} : { "content-type": "application/json" };
  return fetch(new URL(path, emulator.url), {
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    redirect: "manual",
    headers: { ...type, "x-goog-api-key": key, ...headers },
    ...(sent !== undefined && { body: sent as string }),
  });
}

/** The JSON of an answer that has to be a 200. */
export async function made(emulator: Emulator, path: string, options: Ask = {}): Promise<Json> {
  const response = await ask(emulator, path, options);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Json;
}

/** A file of one text, uploaded raw. */
export async function uploaded(emulator: Emulator, text: string, key = ALPHA): Promise<Json> {
  const body = await made(emulator, "/upload/v1beta/files", {
    key,
    body: text,
    headers: { "content-type": "text/plain", "x-goog-upload-protocol": "raw" },
  });
  return body["file"] as Json;
}

/** Text of about so many tokens. */
export function textOfTokens(tokens: number): string {
  return "word".repeat(tokens);
}

/** A request of one user text. */
export function saying(text: string): Json {
  return { contents: [{ role: "user", parts: [{ text }] }] };
}
