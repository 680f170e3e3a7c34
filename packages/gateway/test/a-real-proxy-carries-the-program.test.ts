import { startEmulator } from "gemini-emulator";
import { selfSignedCertificate } from "gemini-emulator/self-signed";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { INHERITED } from "./harness/environment.ts";
import { ask, askStream, eventsOf } from "./harness/requests.ts";
import { startSocksServer } from "./harness/socks-server.ts";
import { openUpstream, send, startServer } from "./harness/way-out.ts";

const PROGRAM = fileURLToPath(new URL("../bin/gemini-gateway.js", import.meta.url));
const POLL = { timeout: 5_000, interval: 10 };

/** Debian's smallest SOCKS proxy: `apt-get install microsocks`. */
const MICROSOCKS = "microsocks";
const hasMicrosocks = spawnSync(MICROSOCKS, ["-h"]).error === undefined;

it("the real program serves an https upstream through SOCKS, and prints no word of the proxy's password", async () => {
  await using cleanup = new AsyncDisposableStack();
  const tls = selfSignedCertificate(Date.now());
  const emulator = cleanup.use(await startEmulator({ tls }));
  const proxy = cleanup.use(await startSocksServer({ user: "alice", password: "open sesame" }));
  const folder = await mkdtemp(join(tmpdir(), "gateway-proxy-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "keys"));
  await writeFile(join(folder, "keys", "pool.txt"), "test-key-1\n");
  await writeFile(join(folder, "trusted.pem"), tls.cert);

  const way = ["--proxy", `socks5h://alice:open%20sesame@127.0.0.1:${proxy.port}`];
  const upstream = ["--upstream", `https://localhost:${emulator.port}`];
  const child = spawn(
    process.execPath,
    [PROGRAM, "serve", "--port", "0", "--workers", "1", ...upstream, ...way],
    {
      cwd: folder,
      env: { ...INHERITED, NODE_EXTRA_CA_CERTS: join(folder, "trusted.pem") },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  cleanup.defer(() => stopped(child));
  let printed = "";
  child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once("exit", () => reject(new Error(`the program ended:\n${printed}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      printed += line;
      const { msg, url: at } = JSON.parse(line) as { readonly msg: string; readonly url?: string };
      if (msg === "listening") resolve(at ?? "");
    });
  });

  expect((await ask(url)).status).toBe(200);
  expect(eventsOf(await (await askStream(url)).text()).length).toBeGreaterThan(1);
  expect(proxy.requests[0]).toMatchObject({
    host: "localhost",
    kind: "name",
    port: emulator.port,
    user: "alice",
  });
  child.kill("SIGTERM");
  await once(child, "exit");
  expect(printed).toContain('"request"');
  expect(printed).not.toMatch(/sesame|alice/);
});

it.skipIf(!hasMicrosocks)("microsocks, a SOCKS proxy in earnest, takes the right password only", async () => {
  await using server = await startServer();
  const port = await freePort();
  const flags = ["-i", "127.0.0.1", "-p", String(port), "-u", "alice", "-P", "sesame"];
  const proxy = spawn(MICROSOCKS, flags, { stdio: "ignore" });
  await using _stop = { [Symbol.asyncDispose]: () => stopped(proxy) };
  await expect.poll(() => accepts(port), POLL).toBe(true);

  await using right = openUpstream(server.url, {
    proxy: new URL(`socks5h://alice:sesame@127.0.0.1:${port}`),
  });
  for (let round = 0; round < 10; round += 1) expect((await send(right).answer).status).toBe(200);
  expect(server.accepted).toBeLessThanOrEqual(2);
  await using wrong = openUpstream(server.url, { proxy: new URL(`socks5h://alice:wrong@127.0.0.1:${port}`) });
  expect((await send(wrong).answer).failure).toBe("PROXY_AUTH_REFUSED");
  await using nowhere = openUpstream("http://127.0.0.1:1", {
    proxy: new URL(`socks5://alice:sesame@127.0.0.1:${port}`),
  });
  expect((await send(nowhere).answer).failure).toBe("PROXY_REFUSED");
});

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
