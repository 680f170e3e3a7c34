/** An answer of the upstream that was read whole before anything of it was sent. Worker threads; pure. */
import { brotliDecompressSync, unzipSync } from "node:zlib";

export interface KeptAnswer {
  readonly status: number;
  /** Names and values by turns, each character an octet. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const CONTENT_ENCODING = "content-encoding";
/** Largest answer unpacked to be looked at, bytes. */
const UNPACKED_BYTES_MAX = 4_194_304;

/** The content encoding; "" when there is none. */
export function encodingOf(kept: KeptAnswer): string {
  for (let at = 0; at + 1 < kept.rawHeaders.length; at += 2) {
    const name = kept.rawHeaders[at];
    if (name?.length === CONTENT_ENCODING.length && name.toLowerCase() === CONTENT_ENCODING)
      return kept.rawHeaders[at + 1] ?? "";
  }
  return "";
}

/** The body as text would be read. We ask for no encoding, but whoever sits between may add one. */
export function unpacked(kept: KeptAnswer): Buffer {
  const encoding = encodingOf(kept).toLowerCase();
  if (encoding === "") return kept.body;
  try {
    if (encoding === "gzip" || encoding === "deflate") {
      return unzipSync(kept.body, { maxOutputLength: UNPACKED_BYTES_MAX });
    }
    if (encoding === "br") return brotliDecompressSync(kept.body, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch {
    // Unreadable: judged as the bytes it is.
  }
  return kept.body;
}

/** The same answer with another body, not encoded and of another length. */
export function withBody(kept: KeptAnswer, body: Buffer): KeptAnswer {
  const rawHeaders: string[] = [];
  for (let at = 0; at + 1 < kept.rawHeaders.length; at += 2) {
    const name = kept.rawHeaders[at]?.toLowerCase();
    if (name === "content-encoding" || name === "content-length") continue;
    rawHeaders.push(kept.rawHeaders[at] ?? "", kept.rawHeaders[at + 1] ?? "");
  }
  return { status: kept.status, rawHeaders, body };
}
