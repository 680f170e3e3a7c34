/** Plain requests as curl would send them, for tests that look at bytes and headers rather than at a client. */

export const MODEL = "gemini-2.5-flash";

/** Body of a request with one text part. */
export function promptBody(text = "hi"): string {
  return JSON.stringify({ contents: [{ role: "user", parts: [{ text }] }] });
}

export interface AskOptions {
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly redirect?: "manual";
}

/** POSTs a prompt; by default a unary `generateContent`. */
export function ask(baseUrl: string, options: AskOptions = {}): Promise<Response> {
  const {
    path = `/v1beta/models/${MODEL}:generateContent`,
    body = promptBody(),
    headers = {},
    signal,
    redirect,
  } = options;
  return fetch(baseUrl + path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-goog-api-key": "client", ...headers },
    body,
    ...(signal === undefined ? {} : { signal }),
    ...(redirect === undefined ? {} : { redirect }),
  });
}

/** POSTs a prompt and streams the answer as SSE. */
export function askStream(baseUrl: string, options: AskOptions = {}): Promise<Response> {
  return ask(baseUrl, { path: `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`, ...options });
}

/** JSON of the `data:` events of an SSE body. */
export function eventsOf(body: string): unknown[] {
  return body
    .split(/\r?\n\r?\n/)
    .filter((event) => event.startsWith("data: ") && event !== "data: [DONE]")
    .map((event) => JSON.parse(event.slice("data: ".length)) as unknown);
}
