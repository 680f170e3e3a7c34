/**
 * The command line's line to a running gateway.
 * Command line only. Must never start a gateway or create a file.
 */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { controlAddress, isTrustworthy } from "./address.ts";
import { OperatorError, type OperatorErrorCode, systemCodeOf } from "./operator-error.ts";
import { requireBounded } from "./request-body.ts";
import {
  type AddKeysReport,
  type AddKeysRequest,
  CONTROL_ANSWER_BYTES_MAX,
  type KeyListRow,
  type RemoveKeysReport,
  type RemoveKeysRequest,
  type RunningStatus,
} from "./types.ts";

/** A gateway that is silent for longer than this is taken for stuck, milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;
/** The same between two lines that come as things happen: a batch of tests may take its time, milliseconds. */
const FOLLOW_TIMEOUT_MS = 3_600_000;

export interface ControlClient {
  status(): Promise<RunningStatus>;
  listKeys(): Promise<readonly KeyListRow[]>;
  addKeys(request: AddKeysRequest): Promise<AddKeysReport>;
  removeKeys(request: RemoveKeysRequest): Promise<RemoveKeysReport>;
  /** Asks any other route; the answer as JSON. */
  ask(method: "GET" | "POST", path: string, body?: object): Promise<unknown>;
  /** POSTs to a route that answers line by line, as things happen; each line as JSON. Ends with the caller's loop. */
  follow(path: string, body: object): AsyncIterable<unknown>;
}

/**
 * A client of the gateway that runs on this database; undefined when none does.
 * @throws OperatorError `control-failed` when one runs that this user may not talk to
 */
export async function connectControl(database: string): Promise<ControlClient | undefined> {
  const address = controlAddress(database);
  if (!isTrustworthy(address) || !(await isAnswered(address))) return undefined;
  // The answers are of our own program's making; another version of it is told by its routes.
  return {
    status: async () => JSON.parse(await ask(address, "GET", "/status")) as RunningStatus,
    listKeys: async () => parseLines(await ask(address, "GET", "/keys")),
    addKeys: async (body) => JSON.parse(await ask(address, "POST", "/keys", body)) as AddKeysReport,
    removeKeys: async (body) =>
      JSON.parse(await ask(address, "POST", "/keys/remove", body)) as RemoveKeysReport,
    ask: async (method, path, body): Promise<unknown> => JSON.parse(await ask(address, method, path, body)),
    follow: (path, body) => follow(address, path, body),
  };
}

async function isAnswered(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTSOCK") return false;
    const reason = code === "EACCES" ? "it belongs to another user" : code;
    throw new OperatorError("control-failed", `The gateway at ${address} cannot be asked (${reason}).`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

async function* follow(address: string, path: string, body: object): AsyncGenerator<unknown, void, void> {
  try {
    const response = await answerTo(address, "POST", path, body, FOLLOW_TIMEOUT_MS);
    if (response.statusCode !== 200) throw errorIn(await readAll(response));
    for await (const line of createInterface({ input: response })) {
      const value: unknown = JSON.parse(line);
      if (typeof value === "object" && value !== null && "error" in value) throw errorIn(line);
      yield value;
    }
    if (!response.complete) throw new Error("the answer broke off");
  } catch (error) {
    throw explained(address, error);
  }
}

async function ask(address: string, method: "GET" | "POST", path: string, body?: object): Promise<string> {
  try {
    const response = await answerTo(address, method, path, body, ANSWER_TIMEOUT_MS);
    const answer = await readAll(response);
    if (response.statusCode !== 200) throw errorIn(answer);
    return answer;
  } catch (error) {
    throw explained(address, error);
  }
}

async function answerTo(
  address: string,
  method: "GET" | "POST",
  path: string,
  body: object | undefined,
  timeout: number,
): Promise<IncomingMessage> {
  const text = body === undefined ? "" : JSON.stringify(body);
  requireBounded(Buffer.byteLength(text));
  const headers = { "content-length": Buffer.byteLength(text) };
  const call = request({ socketPath: address, method, path, headers, timeout, agent: false });
  call.on("timeout", () => call.destroy(new Error("timeout")));
  const answered = once(call, "response");
  call.end(text);
  const [response] = (await answered) as [IncomingMessage];
  return response;
}

function explained(address: string, error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  const reason = systemCodeOf(error) || "no answer";
  return new OperatorError("control-failed", `The gateway at ${address} did not answer (${reason}).`, {
    cause: error,
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount > CONTROL_ANSWER_BYTES_MAX)
      throw new OperatorError("control-failed", "The gateway's answer is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseLines(text: string): readonly KeyListRow[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as KeyListRow);
}

function errorIn(text: string): OperatorError {
  try {
    const { error } = JSON.parse(text) as { error: { code: OperatorErrorCode; message: string } };
    return new OperatorError(error.code, error.message);
  } catch {
    return new OperatorError(
      "control-failed",
      "The gateway answered in words this version does not understand.",
    );
  }
}
