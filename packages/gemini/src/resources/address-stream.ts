/**
 * Addresses of files in answers that are relayed as they come: events, elements of an array, long JSON. Runs on the HTTP
 * workers, only where the operator wants the gateway's addresses. Whatever the chunks, the bytes are those that
 * public-address.ts would make of the whole. Holds back nothing but what may be the beginning of an address.
 */
import { ADDRESS_KEYS, KEY_BYTES_MAX, withPublicAddresses } from "./public-address.ts";
import type { PublicBase } from "./file-address.ts";

/** The keys as they stand in JSON. */
const QUOTED_KEYS = ADDRESS_KEYS.map((key) => `"${key}"`);
/** A whole key and what of its value has come. */
const BEGUN = new RegExp(`^(?:${QUOTED_KEYS.join("|")})\\s*(?::\\s*(".*)?)?$`, "s");
/** The end of bytes that may be the middle of such a beginning: events end with a brace, and so in no such way. */
const MAY_GO_ON = /["\w:/.-]\s*$/;

export class AddressStream {
  readonly #origin: string;
  readonly #base: PublicBase;
  /** How an address begins, its quote included. */
  readonly #opening: string;
  /** The last bytes, when they may be the beginning of an address: a copy of a hundred at most. */
  #begun: Buffer | undefined;

  /** @param upstreamOrigin without a slash at its end */
  constructor(upstreamOrigin: string, base: PublicBase) {
    this.#origin = upstreamOrigin;
    this.#base = base;
    this.#opening = `"${upstreamOrigin}/`;
  }

  /** The bytes that can be sent now: the same buffer when there is nothing to change, possibly an empty one. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#begun === undefined ? chunk : Buffer.concat([this.#begun, chunk]);
    const sent = bytes.length - this.#begunBytes(bytes);
    const isAll = sent === bytes.length;
    // A copy: the chunk's memory may be used again.
    this.#begun = isAll ? undefined : Buffer.from(bytes.subarray(sent));
    return withPublicAddresses(isAll ? bytes : bytes.subarray(0, sent), this.#origin, this.#base);
  }

  /** What was held back, when nothing more comes; undefined for nothing. */
  end(): Buffer | undefined {
    const begun = this.#begun;
    this.#begun = undefined;
    return begun;
  }

  /** How many bytes at the end may be the beginning of an address with its key: as many as possible. */
  #begunBytes(bytes: Buffer): number {
    const longest = KEY_BYTES_MAX + this.#opening.length - 1;
    const text = bytes.toString("latin1", Math.max(0, bytes.length - longest));
    if (!MAY_GO_ON.test(text)) return 0;
    for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1))
      if (this.#mayBecome(text.slice(at))) return text.length - at;
    return 0;
  }

  #mayBecome(text: string): boolean {
    const match = BEGUN.exec(text);
    if (match === null) return QUOTED_KEYS.some((key) => key.startsWith(text));
    return this.#opening.startsWith(match[1] ?? "");
  }
}
