/** The plain proxy of peers/undici-proxy.ts as a process. Runs in the bench's main process. */
import { fileURLToPath } from "node:url";
import { poll } from "../processes/poll.ts";
import { plainTarget, START_MS, type Contender, type Surroundings } from "./contender.ts";
import { LogFile } from "./log-file.ts";

export const UNDICI_PROXY = "plain undici proxy";

const PROGRAM = fileURLToPath(new URL("../peers/undici-proxy.ts", import.meta.url));

export async function startUndiciProxy(around: Surroundings, key: string): Promise<Contender> {
  const log = new LogFile(around.folder);
  const child = await around.children.start({
    name: UNDICI_PROXY,
    command: [process.execPath, PROGRAM, around.upstream],
    cores: around.cores,
    output: log.descriptor,
  });
  const { port } = (await poll(
    "the plain proxy listening",
    () => log.entries().find(({ msg }) => msg === "listening"),
    { timeoutMs: START_MS, failed: child.failed },
  )) as { port: number };
  return {
    name: UNDICI_PROXY,
    pid: child.pid,
    target: (path, body) => plainTarget(`http://127.0.0.1:${port}`, key, path, body),
    [Symbol.asyncDispose]: async () => {
      await child.end();
      log[Symbol.dispose]();
    },
  };
}
