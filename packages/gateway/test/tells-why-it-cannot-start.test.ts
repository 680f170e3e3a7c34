import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("../bin/gemini-gateway.js", import.meta.url));

it("says in one sentence that the port is taken, and exits 1", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gateway-start-"));
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const started = promisify(execFile)(process.execPath, [PROGRAM, "serve", "--port", String(port)], {
    cwd: folder,
  });
  const failure = await started.catch((error: unknown) => error as { code: number; stderr: string });
  other.close();
  await rm(folder, { recursive: true });
  expect(failure).toMatchObject({ code: 1 });
  expect(failure.stderr).toBe(
    `gemini-gateway: Cannot listen on 127.0.0.1, port ${port}: another program listens there already.\n`,
  );
});
