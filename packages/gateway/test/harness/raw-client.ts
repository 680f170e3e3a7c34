/**
 * A client that is nothing but a socket: writes the bytes it is told to and reads what comes, for tests of requests no
 * HTTP library would send and of answers byte by byte.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawAnswer {
  readonly status: number;
  /** As written by the server, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Without the framing of a chunked answer. */
  readonly body: Buffer;
  /** The value of a header, by its name in lower case; several are joined. */
  header(name: string): string | undefined;
}

/** An answer that is not there after this long is taken for a hang, milliseconds. */
const WAIT_MS = 10_000;
/** What a failure shows of the bytes received. */
const EXCERPT_BYTES_MAX = 2000;
const HEAD_END = Buffer.from("\r\n\r\n");

export class RawClient implements Disposable {
  readonly socket: Socket;
  /** Grows by doubling; `#length` bytes of it are filled. */
  #buffer = Buffer.alloc(65_536);
  #length = 0;
  #hasEnded = false;
  #wasReset = false;
  readonly #changed = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#keep(chunk);
      this.#tell();
    });
    // A reset is one of the ways in which the server closes.
    socket.on("error", () => {
      this.#wasReset = true;
      this.#end();
    });
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
  }

  static async open(port: number, firstBytes?: string | Buffer): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    const client = new RawClient(socket);
    await once(socket, "connect");
    if (firstBytes !== undefined) client.write(firstBytes);
    return client;
  }

  /** Text is sent as latin1, one byte a character. */
  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Resolves with the next whole answer and takes it off what was received. `toHead`: the answer has no body. */
  async answer(toHead = false): Promise<RawAnswer> {
    return this.#until(() => {
      const read = readAnswer(this.received, this.#hasEnded, toHead);
      if (read === undefined) return undefined;
      this.#buffer = Buffer.from(this.received.subarray(read.length));
      this.#length = this.#buffer.length;
      return read.answer;
    }, "an answer");
  }

  /** Everything received and not yet taken. */
  get received(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Resolves when what was received holds the text. */
  async hears(text: string): Promise<void> {
    await this.#until(() => (this.received.includes(text) ? true : undefined), JSON.stringify(text));
  }

  /** Resolves when the server has closed its side. */
  async closed(): Promise<void> {
    await this.#until(() => (this.#hasEnded ? true : undefined), "the end");
  }

  /** Resolves when the server has let go of the connection altogether: what is sent to it comes back as a reset. */
  async reset(): Promise<void> {
    await this.#until(() => (this.#wasReset ? true : undefined), "a reset", true);
  }

  /** Leaves without a word, as a process that is killed does. */
  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #keep(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.received], 2 * needed);
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  #excerpt(): string {
    return this.received.toString("latin1", 0, EXCERPT_BYTES_MAX);
  }

  #end(): void {
    this.#hasEnded = true;
    this.#tell();
  }

  #tell(): void {
    for (const look of this.#changed) look();
  }

  async #until<T>(find: () => T | undefined, what: string, mayEndBefore = false): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      const found = find();
      if (found !== undefined) resolve(found);
      else if (this.#hasEnded && !mayEndBefore)
        reject(new Error(`the connection ended before ${what}:\n${this.#excerpt()}`));
    };
    const late = (): void => reject(new Error(`waited too long for ${what}:\n${this.#excerpt()}`));
    const timer = setTimeout(late, WAIT_MS);
    this.#changed.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#changed.delete(look);
    });
  }
}

/** Sends one request on a connection of its own and resolves with the answer. */
export async function exchangeRaw(port: number, request: string | Buffer): Promise<RawAnswer> {
  using client = await RawClient.open(port, request);
  return await client.answer(request.toString("latin1").startsWith("HEAD "));
}

interface ReadAnswer {
  readonly answer: RawAnswer;
  /** Bytes it took. */
  readonly length: number;
}

function readAnswer(bytes: Buffer, hasEnded: boolean, toHead: boolean): ReadAnswer | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(statusLine.split(" ")[1]);
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const header = (wanted: string): string | undefined => {
    const values = headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(", ");
  };
  const start = headEnd + HEAD_END.length;
  const isBodiless = toHead || status < 200 || status === 204 || status === 304;
  const read = isBodiless ? { body: Buffer.alloc(0), end: start } : readBody(bytes, start, header, hasEnded);
  return read === undefined
    ? undefined
    : { answer: { status, headers, body: read.body, header }, length: read.end };
}

interface ReadBody {
  readonly body: Buffer;
  readonly end: number;
}

function readBody(
  bytes: Buffer,
  start: number,
  header: (name: string) => string | undefined,
  hasEnded: boolean,
): ReadBody | undefined {
  if (header("transfer-encoding") === "chunked") return readChunks(bytes, start);
  const declared = header("content-length");
  if (declared === undefined)
    return hasEnded ? { body: bytes.subarray(start), end: bytes.length } : undefined;
  const end = start + Number(declared);
  return bytes.length < end ? undefined : { body: bytes.subarray(start, end), end };
}

function readChunks(bytes: Buffer, start: number): ReadBody | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const chunkEnd = lineEnd + 2 + size;
    if (bytes.length < chunkEnd + 2) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), end: chunkEnd + 2 };
    chunks.push(bytes.subarray(lineEnd + 2, chunkEnd));
    at = chunkEnd + 2;
  }
}
