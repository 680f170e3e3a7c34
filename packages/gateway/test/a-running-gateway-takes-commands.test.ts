import { once } from "node:events";
import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { controlAddress } from "../src/control/address.ts";
import { connectControl } from "../src/control/client.ts";
import { addKeys, listKeys, removeKeys, status } from "../src/control/commands.ts";
import type { GuardHandlers } from "../src/control/guard-types.ts";
import type { KeyDeskHandlers, TestLine } from "../src/control/key-desk-types.ts";
import { OperatorError } from "../src/control/operator-error.ts";
import { type ControlServer, startControlServer } from "../src/control/server.ts";
import type { ControlHandlers, KeyListRow, RunningStatus } from "../src/control/types.ts";
import * as editing from "../src/primary/keys/edit-files.ts";
import { fingerprint } from "../src/primary/keys/fingerprint.ts";
import { openStore } from "../src/primary/store/store.ts";
import { IDLE_REPORT } from "./harness/idle-report.ts";
import { type KeyPoolFixture, keyPoolFixture } from "./key-pool-fixture.ts";

let pool: KeyPoolFixture;
beforeEach(() => {
  pool = keyPoolFixture();
});
afterEach(() => pool[Symbol.dispose]());

const STATUS: RunningStatus = {
  ...IDLE_REPORT,
  workers: [{ id: 1, state: "serving", inFlight: 2, waiting: 0, upMs: 900 }],
  keys: { total: 1, byState: { ready: 1 } },
  inFlight: 2,
};
const ROW: KeyListRow = {
  fingerprint: "k-aaaaaaaaaaaa",
  project: null,
  projectSource: null,
  state: "ready",
  reason: null,
  sinceMs: null,
  file: "a.txt",
  enabled: true,
};

/** Nobody is banned, nobody has a name. */
const EMPTY_BOOKS: GuardHandlers = {
  listBans: () => [],
  addBans: () => [],
  removeBans: ({ networks }) => ({ removed: [], unknown: networks }),
  listClients: () => [],
  addClient: ({ digest: _digest, expiresInMs: _never, ...row }) => ({
    ...row,
    createdAtMs: 0,
    expiresAtMs: null,
  }),
  revokeClients: ({ names }) => ({ revoked: [], unknown: names }),
};

/** There is no key to say anything about. */
const NO_KEYS: KeyDeskHandlers = {
  wish: ({ wish, fingerprints }) => Promise.resolve({ wish, changed: 0, unknown: fingerprints }),
  explain: () => {
    throw new OperatorError("bad-request", "There is no key.");
  },
  test: async function* none(): AsyncGenerator<TestLine> {},
};

function start(handlers: Partial<ControlHandlers> = {}, database = pool.database): Promise<ControlServer> {
  return startControlServer({
    database,
    log: pool.log,
    handlers: {
      status: () => STATUS,
      listKeys: () => [ROW],
      addKeys: (body) => editing.addKeys(pool.keysDir, body),
      removeKeys: ({ fingerprints }) => editing.removeKeys(pool.keysDir, fingerprints),
      ...handlers,
    },
    guard: EMPTY_BOOKS,
    keyDesk: NO_KEYS,
  });
}

describe("while a gateway runs", () => {
  test("the commands ask it", async () => {
    await using server = await start();
    expect(server.address).toBe(`${pool.database}.sock`);
    expect(await status(pool)).toEqual(STATUS);
    expect(await listKeys(pool)).toEqual([ROW]);
    expect(await addKeys(pool, { text: "test-key-1", project: "p", file: "mine.txt" })).toMatchObject({
      file: "mine.txt",
    });
    expect(pool.read("mine.txt")).toBe("# project: p\ntest-key-1\n# project:\n");
    expect(await removeKeys(pool, [fingerprint("test-key-1")])).toMatchObject({ files: ["mine.txt"] });
  });

  test.skipIf(process.platform === "win32")("only its user can ask it", async () => {
    await using server = await start();
    expect(statSync(server.address).mode & 0o777).toBe(0o600);
  });

  test("a list of many thousand keys arrives whole", async () => {
    function* rows(): Generator<KeyListRow> {
      for (let index = 0; index < 20_000; index += 1) yield { ...ROW, fingerprint: `k-${index}` };
    }
    await using _server = await start({ listKeys: rows });
    const listed = await listKeys(pool);
    expect(listed).toHaveLength(20_000);
    expect(listed.at(-1)).toEqual({ ...ROW, fingerprint: "k-19999" });
  });

  test("its refusals come through as they are, its failures without a word of the cause", async () => {
    await using _server = await start({
      addKeys: () => Promise.reject(new OperatorError("key-files", "added.txt is read-only.")),
      removeKeys: () => Promise.reject(new Error("test-key-1 in a message")),
    });
    await expect(addKeys(pool, { text: "test-key-1" })).rejects.toMatchObject({
      code: "key-files",
      message: "added.txt is read-only.",
    });
    const failure = removeKeys(pool, ["k-x"]);
    await expect(failure).rejects.toMatchObject({ code: "control-failed" });
    await expect(failure).rejects.not.toThrow("test-key-1");
    expect(pool.logged()).not.toContain("test-key-1");
  });

  test("a list that breaks off is an error, not a short list", async () => {
    function* rows(): Generator<KeyListRow> {
      for (let index = 0; index < 1_000; index += 1) yield ROW;
      throw new Error("broken");
    }
    await using _server = await start({ listKeys: rows });
    await expect(listKeys(pool)).rejects.toMatchObject({ code: "control-failed" });
  });

  test("a command that is too large is refused before it is sent", async () => {
    await using _server = await start();
    await expect(addKeys(pool, { text: "#".repeat(8 * 1024 * 1024) })).rejects.toMatchObject({
      code: "bad-request",
    });
  });

  test.each([
    ["GET", "/nothing", ""],
    ["DELETE", "/keys", ""],
    ["POST", "/keys", "not JSON"],
    ["POST", "/keys", "[]"],
    ["POST", "/keys", '{"text":1}'],
    ["POST", "/keys/remove", '{"fingerprints":[1]}'],
    ["POST", "/keys/remove", "null"],
  ])("what it does not understand is refused: %s %s %s", async (method, path, body) => {
    await using server = await start();
    const call = request({ socketPath: server.address, method, path });
    call.end(body);
    const [response] = await once(call, "response");
    response.resume();
    expect(response.statusCode).toBe(400);
  });

  test("a second one on its database is refused", async () => {
    await using _server = await start();
    await expect(start()).rejects.toMatchObject({ code: "database-in-use" });
  });
});

describe("the address", () => {
  test("a socket that nobody answers any more is replaced", async () => {
    // What a killed gateway leaves behind: closing would unlink the name it was bound to, so that is given away first.
    const dead = createServer().listen(`${pool.database}.sock-dead`);
    await once(dead, "listening");
    renameSync(`${pool.database}.sock-dead`, `${pool.database}.sock`);
    dead.close();
    await once(dead, "close");
    expect(await connectControl(pool.database)).toBeUndefined();
    await using _server = await start();
    expect(await (await connectControl(pool.database))?.status()).toEqual(STATUS);
  });

  test("the socket is gone afterwards, and nobody is asked", async () => {
    const server = await start();
    await server[Symbol.asyncDispose]();
    expect(readdirSync(pool.folder)).not.toContain("gateway.db.sock");
    expect(await connectControl(pool.database)).toBeUndefined();
  });

  test.skipIf(process.platform === "win32")(
    "a path too long for a socket is served all the same",
    async () => {
      const deep = join(pool.folder, "d".repeat(100));
      mkdirSync(deep);
      const database = join(deep, "gateway.db");
      using _store = openStore(database);
      await using server = await start({}, database);
      expect(server.address).not.toContain(deep);
      expect(await (await connectControl(database))?.status()).toEqual(STATUS);
    },
  );

  test("is a named pipe on Windows", () => {
    expect(controlAddress("gateway.db", "win32")).toMatch(/^\\\\\.\\pipe\\gemini-gateway-[0-9a-f]{32}$/);
  });
});

describe("while none runs", () => {
  test("the list tells what the store knows, and what the next start will add and remove", async () => {
    pool.write("a.txt", "test-key-1\ntest-key-2\n");
    {
      // Gone before the files change: it would follow them.
      using sync = pool.sync();
      await sync.start();
    }
    await removeKeys(pool, [fingerprint("test-key-1")]);
    await addKeys(pool, { text: "test-key-3", project: "p" });
    const rows = await listKeys({ ...pool, describe: () => ({ state: "ready", reason: null, sinceMs: 1 }) });
    expect(rows.map(({ fingerprint: name, state, project, file }) => [name, state, project, file])).toEqual([
      [fingerprint("test-key-1"), "removed", null, "a.txt"],
      [fingerprint("test-key-2"), "ready", null, "a.txt"],
      [fingerprint("test-key-3"), "new", "p", "added.txt"],
    ]);
    expect(JSON.stringify(rows)).not.toContain("test-key");
  });

  test("the status counts keys and the requests of the last day", async () => {
    pool.write("a.txt", "test-key-1\n");
    expect(await status(pool)).toMatchObject({
      running: false,
      keys: { total: 1, byState: { new: 1 } },
      requests: { total: 0 },
    });
  });

  test("nothing is created, and it is said where was looked", async () => {
    const nowhere = { keysDir: join(pool.folder, "no-keys"), database: join(pool.folder, "no.db") };
    await expect(listKeys(nowhere)).rejects.toMatchObject({ code: "database-missing" });
    await expect(status(nowhere)).rejects.toThrow(nowhere.database);
    expect(readdirSync(pool.folder)).not.toContain("no.db");
  });

  test("key files alone are enough for a list", async () => {
    pool.write("a.txt", "test-key-1\n");
    const rows = await listKeys({ ...pool, database: join(pool.folder, "no.db") });
    expect(rows).toMatchObject([{ state: "new", file: "a.txt" }]);
  });
});
