/**
 * Keeps a key out of bytes that are relayed as they come. Runs on the HTTP workers, on every head and every chunk.
 * Google repeats a suspended key whole inside its error, and an error can come late, in the middle of a stream.
 * Must never change the number of bytes, nor hold back more of them than a key is long. Keys are ASCII, else no header
 * could carry them.
 */

/** Stands for each byte of a key, so that lengths and framing stay as they were. */
const MASK = 0x2a;

export class SecretMask {
  readonly #secret: string;
  /** End of the last chunk that may be the beginning of the key; shorter than the key. */
  #rest: Buffer | undefined;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The bytes that can be sent now: the same buffer when there is nothing to hide, possibly an empty one. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const clean = maskedBody(bytes, this.#secret);
    const heldBytes = beginningAtEnd(clean, this.#secret);
    // A copy: the chunk's memory may be used again.
    this.#rest = heldBytes === 0 ? undefined : Buffer.from(clean.subarray(clean.length - heldBytes));
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
export function maskedHeaders(rawHeaders: readonly string[], secret: string): readonly string[] {
  if (secret === "") return rawHeaders;
  for (const part of rawHeaders) {
    if (part.length < secret.length || !part.includes(secret)) continue;
    const mask = String.fromCharCode(MASK).repeat(secret.length);
    return rawHeaders.map((each) => each.replaceAll(secret, mask));
  }
  return rawHeaders;
}

/** Bytes with every occurrence of the key masked; the same buffer when there is none. */
export function maskedBody(bytes: Buffer, secret: string): Buffer {
  let at = secret === "" ? -1 : bytes.indexOf(secret, 0, "latin1");
  if (at < 0) return bytes;
  const copy = Buffer.from(bytes);
  for (; at >= 0; at = copy.indexOf(secret, at + secret.length, "latin1")) {
    copy.fill(MASK, at, at + secret.length);
  }
  return copy;
}

/** How many bytes at the end are the beginning of the key, as many as possible but not all of it. */
function beginningAtEnd(bytes: Buffer, secret: string): number {
  const first = secret.charCodeAt(0);
  for (let at = Math.max(0, bytes.length - secret.length + 1); at < bytes.length; at += 1) {
    if (bytes[at] === first && isBeginning(bytes, at, secret)) return bytes.length - at;
  }
  return 0;
}

/** Whether the bytes from there to the end are how the key begins. */
function isBeginning(bytes: Buffer, start: number, secret: string): boolean {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] !== secret.charCodeAt(at - start)) return false;
  }
  return true;
}
