/**
 * `bans …` and `clients …`: asked of the running gateway, which acts on them at once, or done to the database when none
 * runs. Command line only. It never sees a client's secret, only the digest.
 */
import { BanBook } from "../primary/guard/ban-book.ts";
import { ClientBook } from "../primary/guard/client-book.ts";
import { guardHandlers } from "../primary/guard/guard-handlers.ts";
import { openStore, openStoreReader } from "../primary/store/store.ts";
import { allocateClientTable, ClientTable } from "../limits/client-table.ts";
import { PRIMARY_HOLDER } from "../limits/shared-locks.ts";
import { connectControl, type ControlClient } from "./client.ts";
import { guardAnswer } from "./guard-requests.ts";
import type { GuardHandlers } from "./guard-types.ts";
import { OperatorError } from "./operator-error.ts";

export interface GuardFiles {
  readonly database: string;
  /** Whether an auth key of the configuration has the name. */
  readonly isTaken: (name: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
}

/** The commands as they are asked from here: as the gateway has them, but for the way. */
export type GuardCommands = {
  readonly [Name in keyof GuardHandlers]: (
    ...request: Parameters<GuardHandlers[Name]>
  ) => Promise<ReturnType<GuardHandlers[Name]>>;
};

type Ask = ControlClient["ask"];

/** @throws OperatorError when neither the gateway nor the database can do it */
export function guardCommands(files: GuardFiles): GuardCommands {
  const ask: Ask = async (method, path, body) => {
    const gateway = await connectControl(files.database);
    return gateway === undefined ? askFiles(files, method, path, body) : gateway.ask(method, path, body);
  };
  // The answers are of our own program's making.
  const get = async (path: string): Promise<never> => (await ask("GET", path)) as never;
  const post = async (path: string, body: object): Promise<never> => (await ask("POST", path, body)) as never;
  return {
    listBans: () => get("/bans"),
    addBans: (request) => post("/bans", request),
    removeBans: (request) => post("/bans/remove", request),
    listClients: () => get("/clients"),
    addClient: (request) => post("/clients", request),
    revokeClients: (request) => post("/clients/revoke", request),
  };
}

/** Takes the same way as a running gateway, so that the same is checked and refused. */
async function askFiles(files: GuardFiles, method: string, path: string, body?: object): Promise<unknown> {
  const readBody = (): Promise<unknown> => Promise.resolve(body);
  if (method === "GET") {
    using reader = openStoreReader(files.database);
    if (reader === undefined) throw noDatabase(files.database);
    const { bans, clients } = reader;
    const books = {
      bans: { list: () => bans.load(), add: unasked, remove: unasked },
      clients: { list: () => clients.load(), add: unasked, revoke: unasked },
    };
    return await guardAnswer(`${method} ${path}`, readBody, guardHandlers(books, files.nowMs));
  }
  using store = openStore(files.database);
  const { isTaken, nowMs: now } = files;
  const log = { warn: ignore, error: ignore };
  const bans = new BanBook({
    table: store.bans,
    log,
    banMs: () => Infinity,
    now,
    publish: ignore,
    forget: ignore,
  });
  const table = new ClientTable(allocateClientTable(), PRIMARY_HOLDER);
  const clients = new ClientBook({ rows: store.clients, table, isTaken, publish: ignore });
  return await guardAnswer(`${method} ${path}`, readBody, guardHandlers({ bans, clients }, now));
}

function ignore(): void {
  // Nobody runs who would have to hear of it.
}

function unasked(): never {
  throw new Error("a command that only reads was about to write");
}

function noDatabase(database: string): OperatorError {
  return new OperatorError(
    "database-missing",
    `No gateway is running, and there is no database at ${database}: check --database.`,
  );
}
