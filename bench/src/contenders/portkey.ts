/**
 * `@portkey-ai/gateway`, a popular gateway in TypeScript, if its package is there: it is no dependency of ours. It passes
 * a request of Google's API through with a host of one's own named in a header. Runs in the bench's main process.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { poll } from "../processes/poll.ts";
import {
  complaintAbout,
  type Contender,
  MissingContender,
  plainTarget,
  START_MS,
  type Surroundings,
} from "./contender.ts";
import { freePort } from "./free-port.ts";

export const PORTKEY = "@portkey-ai/gateway";

/** Where npm puts it, called as docs/performance.md says. */
export const PORTKEY_FOLDER = fileURLToPath(
  new URL("../../.cache/node_modules/@portkey-ai/gateway", import.meta.url),
);

/** The version of the API in the paths of the bench, which the host named in the header has to bring. */
const VERSION_PATH = "/v1beta";
/** The prefix by which it knows what to pass through. */
const OWN_PREFIX = "/v1";

/**
 * With an @hono/node-server above 1.14.1, which its version range admits, 1.15.2 answers every request with 500
 * (`TypeError: immutable`, an open issue of its repository), so npm has to be told to install that one.
 */
export const HOW_TO_INSTALL = "see docs/performance.md for the two lines that install it";

/** `packageFolder` holds its package.json. */
export async function startPortkey(
  around: Surroundings,
  key: string,
  packageFolder: string,
): Promise<Contender> {
  const program = join(packageFolder, "build", "start-server.js");
  if (!existsSync(program)) {
    throw new MissingContender("not installed");
  }
  const port = await freePort();
  const child = await around.children.start({
    name: PORTKEY,
    command: [process.execPath, program, "--headless", `--port=${port}`],
    cwd: around.folder,
    cores: around.cores,
  });
  const origin = `http://127.0.0.1:${port}`;
  const running: Contender = {
    name: PORTKEY,
    pid: child.pid,
    target: (path, body) => {
      const plain = plainTarget(origin, key, path.replace(VERSION_PATH, OWN_PREFIX), body);
      const own = {
        "x-portkey-provider": "google",
        "x-portkey-custom-host": `${around.upstream}${VERSION_PATH}`,
      };
      return { ...plain, headers: { ...plain.headers, ...own } };
    },
    [Symbol.asyncDispose]: () => child.end(),
  };
  await poll(
    "portkey listening",
    async () =>
      (await complaintAbout(running.target("/v1beta/models/none:generateContent", "{}")))?.startsWith(
        "it answers",
      )
        ? true
        : undefined,
    { timeoutMs: START_MS, failed: child.failed },
  );
  return running;
}
