/**
 * A small SOCKS proxy (RFC 1928, RFC 1929, SOCKS 4 and 4a) that shows what it was asked and can misbehave.
 * Whatever target it is given, it connects to the same port on 127.0.0.1: tests leave loopback by no name.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Where it falls silent: before a word, after the greeting, after the password, or after granting the connection. */
export type SilentAt = "greeting" | "method" | "request" | "granted";

export interface SocksOptions {
  readonly user?: string;
  readonly password?: string;
  /** SOCKS 5 reply code given instead of a connection, such as 4, host unreachable. */
  readonly refuseWith?: number;
  readonly silentAt?: SilentAt;
  /** Speaks something else. */
  readonly greeting?: string;
  readonly host?: "127.0.0.1" | "::1";
}

export interface SocksRequest {
  readonly version: 4 | 5;
  /** As it came: a name shows that the proxy is to resolve it. */
  readonly host: string;
  readonly kind: "address" | "name";
  readonly port: number;
  readonly user: string;
}

export interface SocksServer extends AsyncDisposable {
  readonly port: number;
  /** Connections asked for, in order. */
  readonly requests: readonly SocksRequest[];
  /** Connections accepted so far, those that asked for nothing included. */
  readonly accepted: number;
  /** Connections of clients that are open now. */
  readonly open: number;
}

const VERSION_5 = 5;
const NO_CREDENTIALS = 0x00;
const USER_AND_PASSWORD = 0x02;
const NONE_ACCEPTABLE = 0xff;

export async function startSocksServer(options: SocksOptions = {}): Promise<SocksServer> {
  const requests: SocksRequest[] = [];
  const clients = new Set<Socket>();
  let accepted = 0;
  const server = createServer((client) => {
    accepted += 1;
    clients.add(client);
    client.on("close", () => clients.delete(client)).on("error", () => {});
    void serve(new Reader(client), options, (request) => requests.push(request)).catch(() =>
      client.destroy(),
    );
  });
  server.listen(0, options.host ?? "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    get accepted() {
      return accepted;
    },
    get open() {
      return clients.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Hands out the bytes of a handshake in the amounts it is made of. */
class Reader {
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  async bytes(count: number): Promise<Buffer> {
    for (;;) {
      const read = this.socket.read(count) as Buffer | null;
      if (read !== null) return read;
      await once(this.socket, "readable");
      if (this.socket.readableEnded || this.socket.destroyed) throw new Error("the client left");
    }
  }

  async byte(): Promise<number> {
    return (await this.bytes(1))[0] ?? 0;
  }

  async counted(): Promise<string> {
    const length = await this.byte();
    return length === 0 ? "" : (await this.bytes(length)).toString();
  }

  async untilZero(): Promise<string> {
    const bytes: number[] = [];
    for (let byte = await this.byte(); byte !== 0; byte = await this.byte()) bytes.push(byte);
    return Buffer.from(bytes).toString();
  }
}

async function serve(
  reader: Reader,
  options: SocksOptions,
  asked: (request: SocksRequest) => void,
): Promise<void> {
  if (options.greeting !== undefined) {
    reader.socket.end(options.greeting);
    return fallSilent(reader.socket);
  }
  if (options.silentAt === "greeting") return fallSilent(reader.socket);
  const version = await reader.byte();
  const request = version === VERSION_5 ? await hear5(reader, options) : await hear4(reader);
  if (request === undefined) return fallSilent(reader.socket);
  asked(request);
  const { refuseWith, silentAt } = options;
  if (refuseWith !== undefined) reader.socket.end(replyOf(request.version, refuseWith));
  else if (silentAt === "granted") reader.socket.write(replyOf(request.version, 0));
  else if (silentAt === undefined) return join(reader.socket, request);
  fallSilent(reader.socket);
}

/** Reads on, so that the client's leaving is seen. */
function fallSilent(socket: Socket): void {
  socket.resume();
}

async function hear5(reader: Reader, options: SocksOptions): Promise<SocksRequest | undefined> {
  const { socket } = reader;
  const { user = "", password = "" } = options;
  const offered = await reader.bytes(await reader.byte());
  const wanted = user === "" ? NO_CREDENTIALS : USER_AND_PASSWORD;
  if (!offered.includes(wanted)) {
    socket.end(Buffer.from([VERSION_5, NONE_ACCEPTABLE]));
    return undefined;
  }
  if (options.silentAt === "method") return undefined;
  socket.write(Buffer.from([VERSION_5, wanted]));
  if (wanted === USER_AND_PASSWORD) {
    await reader.byte();
    const isRight = (await reader.counted()) === user && (await reader.counted()) === password;
    socket.write(Buffer.from([1, isRight ? 0 : 1]));
    if (!isRight) {
      socket.end();
      return undefined;
    }
  }
  const [, , , addressType = 0] = await reader.bytes(4);
  const host =
    addressType === 3
      ? await reader.counted()
      : [...(await reader.bytes(addressType === 1 ? 4 : 16))].join(".");
  const port = (await reader.bytes(2)).readUInt16BE();
  return { version: 5, host, kind: addressType === 3 ? "name" : "address", port, user };
}

async function hear4(reader: Reader): Promise<SocksRequest> {
  await reader.byte();
  const port = (await reader.bytes(2)).readUInt16BE();
  const address = [...(await reader.bytes(4))].join(".");
  const user = await reader.untilZero();
  // 4a: an address that cannot be one announces a name.
  const isName = address.startsWith("0.0.0.");
  return {
    version: 4,
    host: isName ? await reader.untilZero() : address,
    kind: isName ? "name" : "address",
    port,
    user,
  };
}

function replyOf(version: 4 | 5, code: number): Buffer {
  return version === 5
    ? Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
    : Buffer.from([0, code === 0 ? 90 : 91, 0, 0, 0, 0, 0, 0]);
}

function join(client: Socket, { version, port }: SocksRequest): void {
  const target = connect(port, "127.0.0.1", () => {
    client.write(replyOf(version, 0));
    target.pipe(client);
    client.pipe(target);
  });
  target.on("error", () => client.destroy()).on("close", () => client.destroy());
  client.on("close", () => target.destroy());
}
