/**
 * Keeps a key out of bytes that are relayed as they come. Runs on the HTTP workers, on every head and every chunk.
 * Google repeats a suspended key whole inside its error, and an error can come late, in the middle of a stream.
 * Must never change the number of bytes, nor hold back more of them than a key is long.
 */

/** Stands for each byte of a key, so that lengths and framing stay as they were. */
const MASK = 0x2a;

export class SecretMask {
  readonly #secret: Buffer;
  /** End of the last chunk that may be the beginning of the key; shorter than the key. */
  #rest: Buffer | undefined;

  constructor(secret: string) {
    this.#secret = Buffer.from(secret);
  }

  /** The bytes that can be sent now: the same buffer when there is nothing to hide, possibly an empty one. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const clean = masked(bytes, this.#secret);
    const heldBytes = beginningAtEnd(clean, this.#secret);
    this.#rest = heldBytes === 0 ? undefined : clean.subarray(clean.length - heldBytes);
    return heldBytes === 0 ? clean : clean.subarray(0, clean.length - heldBytes);
  }

  /** What was held back, when nothing more comes; undefined for nothing. */
  end(): Buffer | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest;
  }
}

/**
 * Headers without the key in them, flat as they came; the same list when it is in none. Most values are shorter than a
 * key and so not even searched.
 */
export function maskedHeaders(
  rawHeaders: readonly (Buffer | string)[],
  secret: string,
): readonly (Buffer | string)[] {
  const holdsIt = (part: Buffer | string): boolean => part.length >= secret.length && part.includes(secret);
  if (secret === "" || !rawHeaders.some(holdsIt)) return rawHeaders;
  const mask = String.fromCharCode(MASK).repeat(secret.length);
  return rawHeaders.map((part) => (holdsIt(part) ? latin1(part).replaceAll(secret, mask) : part));
}

/** The bytes with every occurrence of the key masked; the same buffer when there is none. */
function masked(bytes: Buffer, secret: Buffer): Buffer {
  let at = secret.length === 0 ? -1 : bytes.indexOf(secret);
  if (at < 0) return bytes;
  const copy = Buffer.from(bytes);
  for (; at >= 0; at = copy.indexOf(secret, at + secret.length)) copy.fill(MASK, at, at + secret.length);
  return copy;
}

/** As HTTP/1.1 has it: a byte a character. */
function latin1(part: Buffer | string): string {
  return typeof part === "string" ? part : part.toString("latin1");
}

/** How many bytes at the end are the beginning of the key, as many as possible but not all of it. */
function beginningAtEnd(bytes: Buffer, secret: Buffer): number {
  const first = secret[0];
  if (first === undefined) return 0;
  const from = Math.max(0, bytes.length - secret.length + 1);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    const length = bytes.length - at;
    if (bytes.compare(secret, 0, length, at) === 0) return length;
  }
  return 0;
}
