/**
 * Every kind of thing that one Google project owns: how it is made, what is asked of it afterwards, how it is deleted.
 * As plain requests, so that a test says exactly what was sent; unmodified clients have tests of their own.
 */

export type Json = Readonly<Record<string, unknown>>;

export interface Asked {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
}

/** A thing that was made. */
export interface OwnedThing {
  readonly kind: string;
  /** Canonical, as the emulator knows it. */
  readonly name: string;
  /** Asked for again and again; each is answered with 200 by its owner alone. */
  readonly uses: readonly Asked[];
  /** Undefined for what cannot be deleted. */
  readonly deletion: Asked | undefined;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly json: Json;
  readonly headers: Headers;
}

export async function asked(
  url: string,
  { method, path, body }: Asked,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const response = await fetch(url + path, {
    method,
    headers: { "x-goog-api-key": "client", "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: parsed(text), headers: response.headers };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

/** The same, for what must not fail. */
export async function made(url: string, request: Asked): Promise<Json> {
  const { status, text, json } = await asked(url, request);
  if (status !== 200) throw new Error(`${request.method} ${request.path}: ${status} ${text}`);
  return json;
}

/** Content that is good for a batch, too. */
const BATCH_LINE = JSON.stringify({ key: "k", request: { contents: [{ parts: [{ text: "hi" }] }] } });

/** A file by the single request of the old SDK, to a gateway or, with a key, to Google itself. */
export async function uploadedFile(
  url: string,
  { content = BATCH_LINE, key = "client" } = {},
): Promise<{ name: string; uri: string }> {
  const mark = "test-boundary";
  const part = (type: string, text: string): string =>
    `--${mark}\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
  const meta = JSON.stringify({ file: { mimeType: "text/plain", displayName: "d" } });
  const response = await fetch(`${url}/upload/v1beta/files`, {
    method: "POST",
    headers: {
      "x-goog-api-key": key,
      "x-goog-upload-protocol": "multipart",
      "content-type": `multipart/related; boundary=${mark}`,
    },
    body: `${part("application/json", meta)}${part("text/plain", content)}--${mark}--`,
  });
  const { file } = (await response.json()) as { file: { name: string; uri: string } };
  return file;
}
