import { liveRouteOf, type LiveRoute } from "@gemini-gateway/gemini/live-route";
import { startEmulator } from "gemini-emulator";
import { once } from "node:events";
import { expect, it } from "vitest";
import { LiveUpstream, type LiveOpening, type OpeningListener } from "../src/worker/live/live-upstream.ts";
import { startConnectProxy } from "./harness/connect-proxy.ts";
import { LIVE_MODEL, LIVE_PATH } from "./harness/live.ts";
import { startSocksServer } from "./harness/socks-server.ts";
import { trustedCertificate } from "./harness/way-out.ts";

const OPENING: LiveOpening = {
  route: liveRouteOf(LIVE_PATH) as LiveRoute,
  rawHeaders: [],
  credential: { key: "test-key-1" },
  messageBytesMax: 1_000_000,
  handshakeMs: 5_000,
};

/** How an opening ended: "opened", a status, or the code of an error. */
function listener(): OpeningListener & { readonly end: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    end: promise,
    opened: () => resolve("opened"),
    refused: (status) => resolve(String(status)),
    failed: (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message),
  };
}

async function setsUp(upstream: LiveUpstream): Promise<string> {
  const opening = listener();
  const socket = upstream.open(OPENING, opening);
  const end = await opening.end;
  if (end !== "opened") return end;
  socket.send(JSON.stringify({ setup: { model: LIVE_MODEL } }));
  const [message] = (await once(socket, "message")) as [Buffer];
  socket.terminate();
  return Object.keys(JSON.parse(message.toString()) as object).join();
}

it("over TLS, straight and through a proxy of either kind", async () => {
  const tls = trustedCertificate();
  await using emulator = await startEmulator({ tls });
  await using connect = await startConnectProxy();
  await using socks = await startSocksServer();
  for (const proxy of [undefined, connect.url, new URL(`socks5h://127.0.0.1:${socks.port}`)]) {
    const upstream = new LiveUpstream({
      upstream: new URL(emulator.url),
      proxy,
      connectMs: 5_000,
      http2: true,
    });
    expect(await setsUp(upstream)).toBe("setupComplete");
  }
  const hosts = emulator.calls
    .recent()
    .map(({ headers }) => headers[headers.findIndex((name) => name.toLowerCase() === "host") + 1]);
  expect(hosts).toEqual(Array.from({ length: 3 }, () => new URL(emulator.url).host));
});

it("and says by a code alone why it cannot", async () => {
  const unreachable = new LiveUpstream({
    upstream: new URL("http://127.0.0.1:1"),
    proxy: undefined,
    connectMs: 5_000,
    http2: false,
  });
  expect(await setsUp(unreachable)).toBe("ECONNREFUSED");
});
