/** A client for the emulator's own tests: fetch for answers, a bare socket for bytes. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Emulator } from "../src/emulator.ts";

export const HI = { contents: [{ role: "user", parts: [{ text: "hi" }] }] };
export const UNARY = "/v1beta/models/gemini-2.5-flash:generateContent";
export const SSE = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
export const ARRAY = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";

export type Headers = Readonly<Record<string, string>>;

/** A prompt of one text. */
export function saying(text: string): object {
  return { contents: [{ role: "user", parts: [{ text }] }] };
}

/** POST with `test-key-1` unless other credentials are given. Rejects as fetch does. */
export function post(
  emulator: Emulator,
  path: string,
  body: unknown = HI,
  headers: Headers = { "x-goog-api-key": "test-key-1" },
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(emulator.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: text,
  });
}

export function get(emulator: Emulator, path: string, key = "test-key-1"): Promise<Response> {
  return fetch(emulator.url + path, { headers: { "x-goog-api-key": key } });
}

/** The parts of an error's body that tests look at. */
export interface ErrorBody {
  readonly error: {
    readonly code: number;
    readonly status: string;
    readonly message: string;
    readonly details?: readonly Readonly<Record<string, unknown>>[];
  };
}

export async function errorOf(response: Response): Promise<ErrorBody["error"]> {
  const body = (await response.json()) as ErrorBody | readonly ErrorBody[];
  const [first] = Array.isArray(body) ? (body as readonly ErrorBody[]) : [body as ErrorBody];
  if (first === undefined) throw new Error("an empty list instead of an error");
  return first.error;
}

/** The objects of an SSE text. */
export function eventsOf(text: string): readonly unknown[] {
  return text
    .split("\r\n\r\n")
    .filter((event) => event !== "")
    .map((event) => JSON.parse(event.replace(/^data: /, "")) as unknown);
}

/** One request on a connection of its own, and every byte that came back until it ended. */
export interface RawExchange {
  readonly socket: Socket;
  /** Resolves when the connection has closed. `reset` when it was broken. */
  readonly closed: Promise<{ readonly text: string; readonly reads: number; readonly reset: boolean }>;
}

export function rawPost(emulator: Emulator, path: string, body: unknown = HI): RawExchange {
  const text = JSON.stringify(body);
  const socket = connect(emulator.port, "127.0.0.1");
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: emulator\r\nconnection: close\r\nx-goog-api-key: test-key-1\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  const chunks: Buffer[] = [];
  let reset = false;
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {
    reset = true;
  });
  const closed = new Promise<{ text: string; reads: number; reset: boolean }>((resolve) => {
    socket.on("close", () =>
      resolve({ text: Buffer.concat(chunks).toString("utf8"), reads: chunks.length, reset }),
    );
  });
  return { socket, closed };
}
