/** The same bytes as an answer, read by our reader and by node's own HTTP client: for tests that hold one to the other. */
import { request, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { AnswerReader } from "../../src/http1/answer-reader.ts";

/** What was understood; a refused answer is undefined. */
export interface ReadAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  /** Each character an octet. */
  readonly body: string;
}

export const HEAD_BYTES_MAX = 65_536;

/** Our reader, given the pieces one by one and then the end of the connection. */
export function readByOurs(method: string, pieces: readonly Buffer[]): ReadAnswer | undefined {
  const reader = new AnswerReader(HEAD_BYTES_MAX);
  reader.begin(method === "HEAD");
  let head: { readonly status: number; readonly rawHeaders: readonly string[] } | undefined;
  let body = "";
  for (const piece of pieces) {
    // It may move bytes.
    const bytes = Buffer.from(piece);
    reader.read(bytes, bytes.length);
    head = reader.newHead ?? head;
    body += bytes.toString("latin1", reader.dataStart, reader.dataEnd);
    if (reader.isComplete || reader.fault !== undefined) break;
  }
  const isWhole = reader.isComplete || reader.end();
  return head === undefined || !isWhole
    ? undefined
    : { status: head.status, rawHeaders: head.rawHeaders, body };
}

/** node's client, that is llhttp. */
export function readByNode(method: string, pieces: readonly Buffer[]): Promise<ReadAnswer | undefined> {
  const { promise, resolve } = Promise.withResolvers<ReadAnswer | undefined>();
  const refuse = (): void => resolve(undefined);
  const connection = new Connection(pieces);
  const sent = request({
    method,
    createConnection: () => connection,
    maxHeaderSize: HEAD_BYTES_MAX,
    host: "upstream.test",
  });
  let hasAnswer = false;
  sent.on("response", (answer: IncomingMessage) => {
    const chunks: Buffer[] = [];
    hasAnswer = true;
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("error", refuse).on("close", refuse);
    answer.on("end", () => {
      const { statusCode: status = 0, rawHeaders, complete } = answer;
      resolve(complete ? { status, rawHeaders, body: Buffer.concat(chunks).toString("latin1") } : undefined);
    });
  });
  sent.on("upgrade", (_answer, socket) => socket.destroy());
  // An answer that has begun tells by itself how it ends.
  const refuseUnanswered = (): void => {
    if (!hasAnswer) refuse();
  };
  sent.on("error", refuseUnanswered).on("close", refuseUnanswered);
  sent.end();
  return promise;
}

/** Takes anything, says the pieces, and ends. */
class Connection extends Duplex {
  readonly #pieces: readonly Buffer[];

  constructor(pieces: readonly Buffer[]) {
    super();
    this.#pieces = pieces;
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }

  override _final(done: () => void): void {
    done();
  }

  override _read(): void {
    for (const piece of this.#pieces) this.push(Buffer.from(piece));
    this.push(null);
  }
}

/** The bytes cut at these places; any numbers will do. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...ends, bytes.length]
    .map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
    .filter(({ length }) => length > 0);
}

/** Each byte a piece of its own. */
export function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}
