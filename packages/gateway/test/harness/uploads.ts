/** Resumable uploads as plain HTTP, for tests that look at addresses, headers and single legs. */
import { request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";

export interface BegunUpload {
  /** Where it goes on. */
  readonly url: string;
  readonly controlUrl: string;
}

/** Begins an upload of so many bytes. `headers` may name another host, which fetch does not allow. */
export async function beginUpload(
  base: string,
  bytes: number,
  headers: Readonly<Record<string, string>> = {},
  path = "/upload/v1beta/files",
): Promise<BegunUpload> {
  const sending = request(base + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": String(bytes),
      "x-goog-upload-header-content-type": "text/plain",
      ...headers,
    },
  });
  sending.end(
    JSON.stringify({ file: { mimeType: "text/plain", displayName: "d", sizeBytes: String(bytes) } }),
  );
  const [answer] = (await once(sending, "response")) as [IncomingMessage];
  const text = (await answer.toArray()).join("");
  const url = answer.headers["x-goog-upload-url"];
  const controlUrl = answer.headers["x-goog-upload-control-url"];
  if (answer.statusCode !== 200 || typeof url !== "string" || typeof controlUrl !== "string")
    throw new Error(`no upload began: ${answer.statusCode} ${text}`);
  return { url, controlUrl };
}

export interface LegOptions {
  readonly offset?: number;
  readonly body?: Buffer | string;
  readonly method?: string;
}

/** One leg without any credential. */
export function leg(
  url: string,
  command: string,
  { offset, body, method = "POST" }: LegOptions = {},
): Promise<Response> {
  const at = offset === undefined ? {} : { "x-goog-upload-offset": String(offset) };
  const headers = { "x-goog-upload-command": command, ...at };
  return fetch(url, { method, headers, ...(body !== undefined && { body }) });
}

/** How many bytes have arrived, as the upload itself says. */
export async function receivedOf(url: string): Promise<number> {
  const answer = await leg(url, "query");
  await answer.arrayBuffer();
  return Number(answer.headers.get("x-goog-upload-size-received") ?? Number.NaN);
}
