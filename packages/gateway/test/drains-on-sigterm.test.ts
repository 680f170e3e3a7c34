import { startEmulator } from "gemini-emulator";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { askStream } from "./harness/requests.ts";

const PROGRAM = fileURLToPath(new URL("../bin/gemini-gateway.js", import.meta.url));

interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly url: string;
  readonly port: number;
  /** Resolves with the first log line that has this message. */
  logged(message: string): Promise<Record<string, unknown>>;
}

/** The real program as a process of its own. */
async function startProgram(upstream: string, flags: readonly string[]): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-drain-"));
  await mkdir(join(folder, "keys"));
  await writeFile(join(folder, "keys", "a.txt"), "test-key-1\n");
  const child = spawn(
    process.execPath,
    [PROGRAM, "serve", "--port", "0", "--workers", "2", "--upstream", upstream, ...flags],
    { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
    for (const look of waiting) look();
  });
  const logged = (message: string): Promise<Record<string, unknown>> => {
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
    const look = (): void => {
      const found = lines.find(({ msg }) => msg === message);
      if (found !== undefined) resolve(found);
    };
    waiting.add(look);
    look();
    return promise;
  };
  const { url, port } = await logged("listening");
  return {
    process: child,
    url: String(url),
    port: Number(port),
    logged,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether anybody accepts a connection. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

it("takes no new connection after SIGTERM, finishes running streams, and exits 0", async () => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, []);
  emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
  const stream = await askStream(program.url);
  const exited = once(program.process, "exit");

  program.process.kill("SIGTERM");
  await program.logged("draining; a second signal ends at once");
  await expect.poll(() => accepts(program.port)).toBe(false);
  emulator.clearFaults();
  expect(await stream.text()).toContain('"finishReason": "STOP"');
  expect(await exited).toEqual([0, null]);
  expect(await program.logged("stopped")).toMatchObject({ how: "drained" });
  // Everything was flushed: the request that ended last is in the log.
  expect(await program.logged("request")).toMatchObject({ outcome: "served" });
});

it("cuts streams off when the grace is over, and still exits 0", async () => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, ["--shutdown-grace", "200ms"]);
  emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
  const stream = await askStream(program.url);
  const exited = once(program.process, "exit");
  program.process.kill("SIGTERM");
  await expect(stream.text()).rejects.toThrow("terminated");
  expect(await exited).toEqual([0, null]);
  expect(await program.logged("stopped")).toMatchObject({ how: "cut-off" });
  // What was cut off is told like any other request, with what it had cost.
  expect(await program.logged("request")).toMatchObject({
    outcome: "caller-left",
    reason: "shutdown",
    attempts: 1,
  });
});

it("ends at once on a second signal", async () => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, []);
  emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
  const stream = await askStream(program.url);
  const ended = stream.text().then(
    () => "complete",
    () => "broken",
  );
  const exited = once(program.process, "exit");
  program.process.kill("SIGTERM");
  await program.logged("draining; a second signal ends at once");
  program.process.kill("SIGTERM");
  expect(await exited).toEqual([143, null]);
  expect(await ended).toBe("broken");
});
