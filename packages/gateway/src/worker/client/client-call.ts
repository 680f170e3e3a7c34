/**
 * One request of a client and the way to answer it, as the rest of the worker knows them. Worker threads.
 * Two kinds of connection serve them (fast-call.ts, node-call.ts); nothing that uses these may know which one it has.
 */
import type { Address } from "@gemini-gateway/core/network/address";

/** What can be wrong with the bytes of a body that has begun. */
export type BodyFault = "malformed-request" | "unfinished-request";

/** Who is at the other end of a connection. */
export interface Peer {
  /** Undefined when the connection is gone already. */
  readonly address: Address | undefined;
  /** As it is logged. */
  readonly text: string;
}

/** Gets a body piece by piece. After `bodyEnded` or `bodyBroken` nothing more is called. */
export interface BodyReader {
  /**
   * The body may take as long as it moves: `timeouts.clientBody` is then the longest time without a byte of it, and does
   * not run while the reader itself has paused it.
   */
  readonly isPatient?: boolean;
  bodyChunk(chunk: Buffer): void;
  bodyEnded(): void;
  /** The rest of the body will not come. */
  bodyBroken(fault: BodyFault): void;
}

/** Is told what becomes of the connection while the request is served. */
export interface ClientWatcher {
  /** The client left before the answer was ended. */
  clientLeft(): void;
  /** The client has taken enough to be written to again; after a `write` that returned false. */
  clientDrained(): void;
}

export interface ClientRequest {
  readonly method: string;
  /** As sent. */
  readonly target: string;
  /** Names and values by turns, as sent. */
  readonly rawHeaders: readonly string[];
  readonly peer: Peer;
  /** Length of the body as declared, bytes; 0 when none was. */
  readonly declaredBytes: number;
  /** It names no host, though its version of HTTP asks for one. */
  readonly lacksHost: boolean;
  /** The client waits for leave to send the body. */
  readonly awaitsLeave: boolean;
  /** Begins to read the body; may call the reader before it returns. A second reader takes the place of the first. */
  readBody(reader: BodyReader): void;
  pauseBody(): void;
  resumeBody(): void;
  /** Reads past the rest of the body, within bounds, so that the connection can go on. */
  discardBody(): void;
}

export interface ClientResponse {
  /** True once the client may have seen something. */
  readonly hasBegun: boolean;
  /** True when nothing can reach the client any more. */
  readonly isLost: boolean;
  /** The connection is to end with this answer; to be called before the head is. */
  closeAfterwards(): void;
  watch(watcher: ClientWatcher): void;
  /** Gives the head, with a flat list of headers; it leaves with the first bytes, or with {@link flushHead}. */
  begin(status: number, headers: readonly string[]): void;
  flushHead(): void;
  /**
   * Reads the bytes until the microtasks behind the present callback have run, and copies them if they cannot leave then.
   * False when the client is to be waited for.
   */
  write(chunk: Buffer): boolean;
  end(last: Buffer | string): void;
  /** Head and body at once; the headers must name the body's length, if there is one. */
  send(status: number, headers: readonly string[], body: Buffer | string): void;
  /** Cuts the connection: the only honest end of an answer that can no longer be completed. */
  cut(): void;
}

export interface ClientCall extends ClientRequest, ClientResponse {}
