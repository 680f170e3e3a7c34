/** A proxy as one would write it in an afternoon: node:http in front, undici behind, no keys, no limits, no retries. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { undici } from "./undici-of-gateway.ts";

const DROPPED = new Set(["host", "connection", "keep-alive", "transfer-encoding"]);
const origin = process.argv[2] ?? "";
const agent = new undici.Agent({ headersTimeout: 0, bodyTimeout: 0 });

function kept(rawHeaders: readonly (string | Buffer)[]): string[] {
  const texts = rawHeaders.map(String);
  return texts.filter((_, index) => !DROPPED.has((texts[index - (index % 2)] ?? "").toLowerCase()));
}

const server = createServer((request, response) => {
  const { method, url, rawHeaders } = request;
  agent.dispatch(
    { origin, path: url, method, headers: kept(rawHeaders), body: request },
    {
      onRequestStart: (controller) => {
        response.on("close", () => response.writableFinished || controller.abort(new Error("client left")));
        response.on("drain", () => controller.resume());
      },
      onResponseStart: (controller, status) => response.writeHead(status, kept(controller.rawHeaders)),
      onResponseData: (controller, chunk) => response.write(chunk) || controller.pause(),
      onResponseEnd: () => response.end(),
      onResponseError: () => (response.headersSent ? response.destroy() : response.writeHead(502).end()),
    },
  );
});

server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  process.stdout.write(
    `${JSON.stringify({ msg: "listening", port: (server.address() as AddressInfo).port })}\n`,
  );
});
