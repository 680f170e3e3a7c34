import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const DEMO = fileURLToPath(new URL("demo.ts", import.meta.url));
const LIMIT_MS = 60_000;

/** Runs the demo; `onText` sees all that was printed so far. */
async function runDemo(
  flags: string[],
  onText: (text: string, demo: { kill: () => void }) => void = () => {},
) {
  const child = spawn(process.execPath, [DEMO, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      onText(text, { kill: () => child.kill("SIGTERM") });
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, text, url: /gateway runs in front of it at (\S+)/.exec(text)?.[1] ?? "" };
}

test(
  "--once sends its requests, shows a change of keys and ends well",
  async () => {
    const { code, text } = await runDemo(["--once"]);
    expect(text).toMatch(/Hello from project gamma/);
    expect(text).toMatch(/keys tried: k-\w+=(key-dead|quota-day), .*=served/);
    expect(code).toBe(0);
  },
  LIMIT_MS,
);

test(
  "it serves until a signal, and leaves no gateway behind",
  async () => {
    const { code, text, url } = await runDemo([], (soFar, demo) => {
      if (soFar.includes("Ctrl-C ends it")) demo.kill();
    });
    expect(text).toContain(`curl ${url}/v1beta/models/`);
    expect(code).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
  },
  LIMIT_MS,
);
