import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { exchangeRaw, RawClient } from "./harness/raw-client.ts";
import { headOf, startRawUpstream } from "./harness/raw-upstream.ts";
import { ask, askStream, MODEL, promptBody } from "./harness/requests.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: g\r\n\r\n`;

it("says that it lives and that it can serve", async () => {
  await using pool = await startPool({ flags: { workers: 1 } });
  for (const [path, status] of [
    ["/healthz", "alive"],
    ["/readyz", "ready"],
    ["/readyz?verbose=1", "ready"],
  ] as const) {
    const answer = await exchangeRaw(pool.gateway.port, get(path));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString())).toEqual({ status });
    expect(answer.header("cache-control")).toBe("no-store");
  }
  expect(pool.emulator.calls.total).toBe(0);
});

it("says that it cannot serve when no key can", async () => {
  await using pool = await startPool({
    projects: [{ name: "dead", keys: ["test-key-dead"], state: "suspended" }],
    flags: { workers: 1 },
  });
  expect((await ask(pool.url)).status).toBe(503);
  await pool.requestLogged();
  expect((await fetch(`${pool.url}/healthz`)).status).toBe(200);
  const ready = await fetch(`${pool.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({ status: "no-key-ready" });
});

it("says that it drains, to whoever is still connected", async () => {
  await using pool = await startPool({ flags: { workers: 1 } });
  const undo = pool.emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
  const body = promptBody();
  const stream = `POST /v1beta/models/${MODEL}:streamGenerateContent?alt=sse HTTP/1.1\r\nHost: g\r\n`;
  using client = await RawClient.open(
    pool.gateway.port,
    `${stream}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  await client.hears("data: ");
  client.write(get("/readyz") + get("/nowhere"));
  // What comes later is answered, so both have been read: else the connection would be idle, and closed, when the stream ends.
  await exchangeRaw(pool.gateway.port, get("/healthz"));
  const stopped = pool.gateway.stop();
  const open = (): Promise<string> =>
    RawClient.open(pool.gateway.port).then(
      (other) => (other[Symbol.dispose](), "open"),
      () => "refused",
    );
  await expect.poll(open).toBe("refused");
  undo();
  expect((await client.answer()).body.toString()).toContain("finishReason");
  const ready = await client.answer();
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.body.toString())).toEqual({ status: "draining" });
  expect(ready.header("connection")).toBe("close");
  expect(await stopped).toBe("drained");
});

it("gives every answer an id of its own, which the log knows too", async () => {
  await using pool = await startPool({ flags: { workers: 2 } });
  const body = promptBody();
  const post = `POST /v1beta/models/${MODEL}:generateContent HTTP/1.1\r\nHost: g\r\n`;
  const requests = [
    `${post}Content-Length: ${body.length}\r\n\r\n${body}`,
    `${post}Content-Length: 2\r\n\r\n{}`,
    get("/healthz"),
    get("/nowhere"),
    `OPTIONS /v1beta/models HTTP/1.1\r\nHost: g\r\n\r\n`,
    "nonsense\r\n\r\n",
  ];
  const ids = new Set<string>();
  for (let round = 0; round < 4; round += 1) {
    for (const request of requests)
      ids.add((await exchangeRaw(pool.gateway.port, request)).header("x-request-id") ?? "");
  }
  expect(ids.size).toBe(4 * requests.length);
  const streamed = (await askStream(pool.url)).headers.get("x-request-id") ?? "none";
  expect(ids).not.toContain(streamed);
  expect(await pool.requestLogged(({ requestId }) => requestId === streamed)).toMatchObject({ status: 200 });
});

it("asks an upstream with a path below that path", async () => {
  await using upstream = await startRawUpstream(
    ({ socket }) => void socket.write(`${headOf(200, ["content-type: application/json"], 2)}{}`),
  );
  await using pool = await startPool({ upstream: `${upstream.url}/behind/here/`, flags: { workers: 1 } });
  expect((await ask(pool.url, { path: `/v1beta/models/${MODEL}:countTokens?alt=json` })).status).toBe(200);
  const { url, rawHeaders } = await upstream.call(0);
  expect(url).toBe(`/behind/here/v1beta/models/${MODEL}:countTokens?alt=json`);
  expect(rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === "host") + 1]).toBe(
    new URL(upstream.url).host,
  );
});
