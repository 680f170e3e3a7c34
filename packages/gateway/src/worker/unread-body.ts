/**
 * What to do with a body that nobody wants: reads past it for a while. Worker threads. Keeps nothing of it.
 * A connection closed while its client still sends is reset, and many clients then never see the answer.
 */
import type { IncomingMessage } from "node:http";
import type { BodyReader } from "./client/client-call.ts";

/** Bytes read past before the connection is cut: more costs the gateway more than a clear answer is worth. */
const LINGER_BYTES_MAX = 16_777_216;
/** Longest time spent so, milliseconds. */
export const LINGER_MS = 2_000;

/** Reads the rest of the request and forgets it; cuts the connection when that is too much or takes too long. */
export function discardRest(request: IncomingMessage): void {
  if (request.complete) {
    request.resume();
    return;
  }
  let bytes = 0;
  const cut = (): void => void request.socket.destroy();
  const timer = setTimeout(cut, LINGER_MS);
  timer.unref();
  const stop = (): void => clearTimeout(timer);
  request.once("end", stop);
  request.once("close", stop);
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES_MAX) cut();
  });
}

/** The same for a body that comes in pieces: counts them, and calls `cut` when that is too much or takes too long. */
export class DiscardingReader implements BodyReader {
  readonly #cut: () => void;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor(cut: () => void) {
    this.#cut = cut;
    this.#timer = setTimeout(cut, LINGER_MS);
    this.#timer.unref();
  }

  bodyChunk(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > LINGER_BYTES_MAX) this.#cut();
  }

  bodyEnded(): void {
    clearTimeout(this.#timer);
  }

  bodyBroken(): void {
    this.#cut();
  }
}
