/**
 * The running gateway's ear for the command line: HTTP over a local socket that only its own user can open.
 * Primary thread. Must never be reachable over a network, and never answer with a key.
 *
 * | route | body | answer |
 * | GET /status | | RunningStatus |
 * | GET /keys | | a KeyListRow a line |
 * | POST /keys | AddKeysRequest | AddKeysReport |
 * | POST /keys/remove | RemoveKeysRequest | RemoveKeysReport |
 * and those of guard-requests.ts and key-desk-requests.ts.
 * An error is `{"error": {"code", "message"}}`.
 */
import { once } from "node:events";
import { chmodSync, unlinkSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import type { Logger } from "pino";
import { PRIVATE_FILE_MODE } from "../primary/store/private-file.ts";
import { controlAddress, prepareAddress } from "./address.ts";
import { guardAnswer } from "./guard-requests.ts";
import type { GuardHandlers } from "./guard-types.ts";
import { keyDeskAnswer, testLines } from "./key-desk-requests.ts";
import type { KeyDeskHandlers } from "./key-desk-types.ts";
import { OperatorError, type OperatorErrorCode, systemCodeOf } from "./operator-error.ts";
import { readAddKeys, readJson, readRemoveKeys } from "./request-body.ts";
import type { ControlHandlers } from "./types.ts";

/** Commands at once; more wait in the kernel's queue or are refused. */
const CONNECTIONS_MAX = 16;
/** A command that has not sent its body within this time is cut off, milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Rows of the key list made and written in one turn. */
const ROWS_PER_TURN = 250;

export interface ControlServerOptions {
  /** The database file; it must exist, and the caller must hold its lock (see `openStore`). */
  readonly database: string;
  readonly handlers: ControlHandlers;
  /** Bans and named clients. */
  readonly guard: GuardHandlers;
  /** Single keys: wishes, explanations, tests. */
  readonly keyDesk: KeyDeskHandlers;
  readonly log: Logger;
}

export interface ControlServer extends AsyncDisposable {
  readonly address: string;
}

/**
 * Listens until disposed; the socket is gone afterwards. Dispose it before the store, whose lock guards the address.
 * @throws OperatorError `database-in-use` when a gateway answers there already; a socket nobody answers is replaced
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const address = controlAddress(options.database);
  prepareAddress(address);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(request, response, options);
  });
  server.maxConnections = CONNECTIONS_MAX;
  try {
    await listenPrivately(server, address);
  } catch (error) {
    if (systemCodeOf(error) !== "EADDRINUSE") throw unusable(address, error);
    await removeStaleSocket(address, options.database);
    await listenPrivately(server, address).catch((again: unknown) => {
      throw unusable(address, again);
    });
  }
  server.unref();
  return { address, [Symbol.asyncDispose]: () => close(server) };
}

/** Binding happens before `listen` returns, so that the mask keeps others out from the socket's first moment. */
async function listenPrivately(server: Server, address: string): Promise<void> {
  const mask = isMainThread ? process.umask(0o177) : undefined;
  const listening = once(server, "listening");
  try {
    server.listen(address);
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  await listening;
  if (process.platform !== "win32") chmodSync(address, PRIVATE_FILE_MODE);
}

async function removeStaleSocket(address: string, database: string): Promise<void> {
  const socket = connect(address);
  try {
    await once(socket, "connect");
  } catch {
    unlinkSync(address);
    return;
  } finally {
    socket.destroy();
  }
  throw new OperatorError(
    "database-in-use",
    `Another gateway answers for the database ${database}: stop it first.`,
  );
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ControlServerOptions,
): Promise<void> {
  try {
    await route(request, response, options);
  } catch (error) {
    const isForOperator = error instanceof OperatorError;
    if (!isForOperator) options.log.error({ code: systemCodeOf(error) }, "control command failed");
    if (response.headersSent) return void response.destroy();
    const { code, message } = isForOperator ? error : failureOf(error);
    sendJson(response, isForOperator ? 400 : 500, { error: { code, message } });
  }
}

/** What failed, told without the error's own words: they may hold what was asked. */
function failureOf(error: unknown): { readonly code: OperatorErrorCode; readonly message: string } {
  const system = systemCodeOf(error);
  return system.startsWith("SQLITE_")
    ? {
        code: "database-unusable",
        message: `The database cannot be written now (${system}), so this was not done; the gateway serves on.`,
      }
    : { code: "control-failed", message: "The gateway failed to do this; its log says more." };
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { handlers, guard, keyDesk }: ControlServerOptions,
): Promise<void> {
  const name = `${request.method} ${request.url}`;
  const readBody = (): Promise<unknown> => readJson(request);
  switch (name) {
    case "GET /status":
      return sendJson(response, 200, await handlers.status());
    case "GET /keys":
      return sendLines(response, handlers.listKeys());
    case "POST /keys":
      return sendJson(response, 200, await handlers.addKeys(readAddKeys(await readJson(request))));
    case "POST /keys/remove":
      return sendJson(response, 200, await handlers.removeKeys(readRemoveKeys(await readJson(request))));
    case "POST /keys/test":
      return sendLive(response, await testLines(readBody, keyDesk, closingOf(response)));
    default: {
      const answered =
        (await guardAnswer(name, readBody, guard)) ?? (await keyDeskAnswer(name, readBody, keyDesk));
      return sendJson(response, 200, answered ?? unknown());
    }
  }
}

function unknown(): never {
  throw new OperatorError(
    "bad-request",
    "The running gateway does not know this command: is it an older one?",
  );
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  // The rest of a refused body is not waited for.
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(`${JSON.stringify(body)}\n`);
}

async function sendLines(response: ServerResponse, rows: Iterable<object>): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson", connection: "close" });
  let lines: string[] = [];
  for (const row of rows) {
    lines.push(`${JSON.stringify(row)}\n`);
    if (lines.length < ROWS_PER_TURN) continue;
    if (response.destroyed) return;
    const isFull = !response.write(lines.join(""));
    lines = [];
    await (isFull ? drained(response) : nextTurn());
  }
  response.end(lines.join(""));
}

/** Lines that come as things happen: each is written at once. An error after the first is the last line. */
async function sendLive(response: ServerResponse, lines: AsyncIterable<object>): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson", connection: "close" });
  try {
    for await (const line of lines) {
      if (response.destroyed) return;
      if (!response.write(`${JSON.stringify(line)}\n`)) await drained(response);
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    response.write(`${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`);
  }
  response.end();
}

/** Aborts when the one who asked has gone. */
function closingOf(response: ServerResponse): AbortSignal {
  const closing = new AbortController();
  response.once("close", () => closing.abort());
  return closing.signal;
}

/** Settles too when the reader goes away. */
async function drained(response: ServerResponse): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]).finally(() =>
    done.abort(),
  );
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

function unusable(address: string, error: unknown): OperatorError {
  const code = systemCodeOf(error);
  return new OperatorError("control-failed", `The control socket ${address} cannot be opened (${code}).`, {
    cause: error,
  });
}
