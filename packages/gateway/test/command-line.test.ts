/** The command line as operators meet it: the real program in a process of its own, its output and exit codes. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { INHERITED } from "./harness/environment.ts";

const PROGRAM = join(import.meta.dirname, "../bin/gemini-gateway.js");
const SECRET = "s3cret-of-alice";
const FOLDER = mkdtempSync(join(tmpdir(), "gemini-gateway-cli-"));

afterAll(() => rmSync(FOLDER, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in an empty folder and waits for its end. */
function run(args: readonly string[], env: Record<string, string> = {}, input = ""): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const options = { cwd: FOLDER, env: { ...INHERITED, ...env } };
  const child = execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  // The program may end before it has read everything, which is what some tests are about.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return promise;
}

test("without a command the help is shown, and names the commands", async () => {
  const { code, stdout, stderr } = await run([]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/gemini-gateway serve .*\n.*gemini-gateway config/s);
});

test("a group without a command shows the commands of that group", async () => {
  const { code, stdout } = await run(["config"]);
  expect(code).toBe(0);
  expect(stdout).toContain("gemini-gateway config show");
});

test("--version is the version of the package", async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
    readonly version: string;
  };
  expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test("serve --help lists every option with its default", async () => {
  const { stdout } = await run(["serve", "--help"]);
  expect(stdout).toMatch(/--port +TCP port to listen on \(0\.\.65535\).*55200/s);
  expect(stdout).toContain("--lease-max-wait");
});

test.each([
  [["srve"], "There is no such command; did you mean gemini-gateway serve?"],
  [["config", "shwo"], "There is no such command; did you mean gemini-gateway config show?"],
  [["serve", "--prot", "1"], "--prot is not an option here; did you mean --port?"],
  [["serve", "--port", "x"], '--port must be a whole number from 0 to 65535; it is "x"'],
  [["serve", "--port", "-1"], '--port must be a whole number from 0 to 65535; it is "-1"'],
  [["serve", "--port"], "--port must be a whole number from 0 to 65535; it is empty"],
  [["serve", "--port", "1", "--port", "2"], "--port must be a whole number from 0 to 65535; it is a list"],
  [["serve", "--request-log=maybe"], '--request-log must be true or false; it is "maybe"'],
  [["serve", "--keysDir", "k"], "--keysDir is not an option here; did you mean --keys-dir?"],
  [
    ["serve", "--config", "none.yaml"],
    "The configuration file none.yaml cannot be read (ENOENT): it does not exist",
  ],
  [["serve", SECRET], "serve takes no further words; options begin with --"],
])("%j is refused with exit code 2 and one sentence", async (args, sentence) => {
  expect(await run(args)).toEqual({ code: 2, stdout: "", stderr: `gemini-gateway: ${sentence}\n` });
});

test("options before a command, or without one, are refused with the names of the commands", async () => {
  const { code, stderr } = await run(["--port", "1"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^gemini-gateway: No command is given; name one of .*serve.* before the options\n$/);
});

test("config show tells where each value came from, over all sources at once", async () => {
  writeFileSync(join(FOLDER, "gw.yaml"), "port: 1000\nlease:\n  maxWait: 3s\nlogLevel: debug\n");
  const args = ["config", "show", "--json", "--config", "gw.yaml", "--port", "0", "--no-request-log"];
  const { code, stdout } = await run(args, { GEMINI_GATEWAY_LOG_LEVEL: "warn", AUTH_KEY: `alice=${SECRET}` });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    port: { value: "0", origin: "flag" },
    requestLog: { value: "false", origin: "flag" },
    logLevel: { value: "warn", origin: "environment" },
    authKey: { value: "alice=****", origin: "environment" },
    "lease.maxWait": { value: "3s", origin: "file" },
    "lease.ttl": { value: "5s", origin: "default" },
    anonymous: { value: "limited", origin: "derived" },
  });
});

test("config show prints a table without any secret", async () => {
  const proxy = `http://alice:${SECRET}@127.0.0.1:3128`;
  const { stdout, stderr } = await run(["config", "show", "--auth-key", SECRET], {
    GEMINI_GATEWAY_PROXY: proxy,
  });
  expect(stdout).toMatch(/^OPTION +VALUE +FROM\n/);
  expect(stdout).toMatch(/^proxy +http:\/\/\*\*\*\*@127\.0\.0\.1:3128 +environment$/m);
  expect(stdout).toMatch(/^authKey +auth-key-1=\*\*\*\* +flag$/m);
  expect(stdout + stderr).not.toContain(SECRET);
});

test.each([
  [["--auth-key", `a ${SECRET}`], {}],
  [["--upstream", `https://alice:${SECRET}@relay.example`], {}],
  [[`--auth-kye=${SECRET}`], {}],
  [["--auth-kye", SECRET], {}],
  [[], { GEMINI_GATEWAY_PROXY: `socks9://a:${SECRET}@127.0.0.1:1` }],
])("a refusal never repeats a secret: %j %j", async (args, env) => {
  const { code, stdout, stderr } = await run(["config", "show", ...args], env);
  expect(code).toBe(2);
  expect(stdout + stderr).not.toContain(SECRET);
});

test("keys are added from standard input, listed by fingerprint and removed, and none is ever printed", async () => {
  const secrets = ["test-key-number-one-000000000000000001", "test-key-number-two-000000000000000002"];
  const added = await run(
    ["keys", "add", "--project", "blue", "--json"],
    {},
    `${secrets.join(" ")}\nYOUR_API_KEY\n`,
  );
  expect(added.code).toBe(1);
  const report = JSON.parse(added.stdout) as { readonly added: readonly string[] };
  expect(report).toMatchObject({ file: "added.txt", refusedCount: 1 });
  expect(report.added).toHaveLength(2);

  const listed = await run(["keys", "list"]);
  expect(listed.code).toBe(0);
  for (const fingerprint of report.added)
    expect(listed.stdout).toMatch(new RegExp(`^${fingerprint} +blue `, "m"));

  const status = await run(["status"]);
  expect(status).toMatchObject({ code: 0, stderr: "" });
  expect(status.stdout).toMatch(/^No gateway is running on this database\.\nKeys: +2: 2 new/);

  const removed = await run(["keys", "remove", ...report.added]);
  expect(removed).toMatchObject({ code: 0, stdout: "2 keys removed from added.txt.\n" });
  expect((await run(["keys", "remove", ...report.added])).code).toBe(1);
  const printed = [added, listed, status, removed].map(({ stdout, stderr }) => stdout + stderr).join("");
  for (const secret of secrets) expect(printed).not.toContain(secret);
});

test.each([
  [
    ["keys", "add", "test-key-1"],
    "",
    /reads keys from standard input only, because the shell would keep one/,
  ],
  [["keys", "remove", "test-key-1"], "", /takes fingerprints such as k-/],
  [["keys", "remove"], "", /takes fingerprints such as k-/],
  [["keys", "add"], " \n", /Standard input held no key/],
  [["keys", "add", "--project", "a", "--project", "b"], "", /--project must be one name/],
  [["keys", "list", "--port", "1"], "", /--port is not an option here/],
])("%j is refused and nothing of it is repeated", async (args, input, sentence) => {
  const { code, stdout, stderr } = await run(args, {}, input);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toContain("test-key-1");
});

test("more than a request holds is refused before it is kept", async () => {
  const { code, stderr } = await run(["keys", "add"], {}, "#".repeat(7 * 1024 * 1024));
  expect(code).toBe(2);
  expect(stderr).toContain("put a file into the folder of keys");
});

test.each([["--help"], ["config show"], ["serve --help"], ["serve --port x"]])(
  "%s starts without SQLite, the HTTP client and the log",
  async (line) => {
    const hook = `import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
    const { stderr } = await run(line.split(" "), { NODE_OPTIONS });
    expect(stderr).toContain("/cli/dispatch.ts");
    expect(stderr).not.toMatch(/better-sqlite3|undici|piscina|pino|\/primary\/|\/worker\//);
  },
);

test("a reader that closes the pipe early is no failure", async () => {
  const child = spawn(process.execPath, [PROGRAM, "config", "show"], {
    cwd: FOLDER,
    env: INHERITED,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect({ code: code as unknown, stderr }).toEqual({ code: 0, stderr: "" });
});
