/**
 * The emulator's short answers given again byte for byte over node:net, at half of what node:http costs: on a small
 * machine the upstream shares a core with the load generator, and a contender must not have to wait for them. Whatever is
 * not such a request goes, with the rest of its connection, to the emulator itself. Upstream process.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { AnswerReader } from "../load/answer-reader.ts";
import { KEY_PREFIX } from "../workload.ts";

const HEAD_END = "\r\n\r\n";
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)\r\n/i;
/** Connections that wait to be accepted. */
const BACKLOG = 4_096;
/** Longest answer that is kept, bytes: longer ones cost their bytes, however they are served. */
const ANSWER_BYTES_MAX = 64 * 1024;
const RECORD_MS_MAX = 5_000;

/** Answers by the request line that asks for them, such as `POST /path HTTP/1.1`. */
export type ShortAnswers = ReadonlyMap<string, Buffer>;

/** Asks the emulator once for each path; what is long, or lasts, is left to it. */
export async function recordAnswers(
  emulator: URL,
  paths: readonly string[],
  key: string,
): Promise<ShortAnswers> {
  const answers = new Map<string, Buffer>();
  for (const path of paths) {
    const line = `POST ${path} HTTP/1.1`;
    const answer = await recordAnswer(
      emulator,
      `${line}\r\nhost: ${emulator.host}\r\nx-goog-api-key: ${key}`,
    );
    if (answer !== undefined) answers.set(line, answer);
  }
  return answers;
}

/** Listens in front of the emulator; gives its own URL. */
export async function serveShortAnswers(emulator: URL, answers: ShortAnswers): Promise<string> {
  const server = createServer({ noDelay: true }, (socket) => {
    new ShortAnswerConnection(socket, emulator, answers).listen();
  });
  server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

class ShortAnswerConnection {
  readonly #socket: Socket;
  readonly #emulator: URL;
  readonly #answers: ShortAnswers;
  /** Of the request whose body is being read. */
  #answer: Buffer | undefined;
  #missingBytes = 0;

  constructor(socket: Socket, emulator: URL, answers: ShortAnswers) {
    this.#socket = socket;
    this.#emulator = emulator;
    this.#answers = answers;
  }

  listen(): void {
    this.#socket.on("data", this.#take);
    this.#socket.on("error", () => this.#socket.destroy());
  }

  readonly #take = (chunk: Buffer): void => {
    let from = 0;
    while (from < chunk.length) {
      if (this.#answer === undefined) {
        const bodyAt = this.#takeHead(chunk, from);
        if (bodyAt === undefined) return this.#handOver(chunk.subarray(from));
        from = bodyAt;
      }
      const taken = Math.min(this.#missingBytes, chunk.length - from);
      from += taken;
      this.#missingBytes -= taken;
      if (this.#missingBytes > 0 || this.#answer === undefined) return;
      this.#socket.write(this.#answer);
      this.#answer = undefined;
    }
  };

  /** Where the body begins; undefined for what is not ours, or not whole in one piece. */
  #takeHead(chunk: Buffer, from: number): number | undefined {
    const end = chunk.indexOf(HEAD_END, from, "latin1");
    if (end < 0) return undefined;
    const head = chunk.toString("latin1", from, end + 2);
    const answer = this.#answers.get(head.slice(0, head.indexOf("\r\n")));
    const length = CONTENT_LENGTH.exec(head)?.[1];
    // A contender that does not bring a key of the pool is refused by the emulator.
    if (answer === undefined || length === undefined || !head.includes(KEY_PREFIX)) return undefined;
    this.#answer = answer;
    this.#missingBytes = Number(length);
    return end + HEAD_END.length;
  }

  #handOver(begun: Buffer): void {
    const socket = this.#socket;
    socket.off("data", this.#take);
    const behind = connect({
      host: this.#emulator.hostname,
      port: Number(this.#emulator.port),
      noDelay: true,
    });
    behind.write(begun);
    socket.pipe(behind).pipe(socket);
    behind.on("error", () => socket.destroy());
    behind.on("close", () => socket.destroy());
    socket.on("close", () => behind.destroy());
  }
}

/** The bytes of one answer as they stand on the wire; undefined when it is too long. */
async function recordAnswer(emulator: URL, head: string): Promise<Buffer | undefined> {
  const body = JSON.stringify({ contents: [{ parts: [{ text: "hi" }] }] });
  const socket = connect({ host: emulator.hostname, port: Number(emulator.port) });
  socket.setTimeout(RECORD_MS_MAX, () => socket.destroy(new Error("the emulator gives no whole answer")));
  socket.write(
    `${head}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}${HEAD_END}${body}`,
  );
  const reader = new AnswerReader();
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of socket as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    reader.take(piece.toString("latin1"));
    if (bytes > ANSWER_BYTES_MAX) return undefined;
    if (reader.state === "complete") break;
  }
  return reader.state === "complete" && reader.status === 200 ? Buffer.concat(pieces) : undefined;
}
