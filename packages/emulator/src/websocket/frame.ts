/**
 * WebSocket frames (RFC 6455 section 5): what they are made of, and how the server writes them. Pure.
 * A server's frames are never masked.
 */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame as it was read, unmasked. */
export interface Frame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Largest payload of a control frame, bytes. */
export const CONTROL_BYTES_MAX = 125;
/** A close reason shares its frame with the code. */
export const CLOSE_REASON_BYTES_MAX = CONTROL_BYTES_MAX - 2;

/** A whole frame for the wire. */
export function frameBytes(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([headOf(opcode, payload.length), payload]);
}

function headOf(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.from([first, length]);
  if (length < 65_536) return Buffer.from([first, 126, length >>> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** The payload of a close frame; a reason that is too long is cut between characters, as Google's are. */
export function closePayload(code: number, reason: string): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, cutText(reason)]);
}

function cutText(text: string): Buffer {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, CLOSE_REASON_BYTES_MAX);
  // Not in the middle of a character: the bytes after its first begin with 10.
  while (end < bytes.length && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** Code and reason of a close frame; 1005 stands for a frame without a code. Undefined for a frame that breaks the rules. */
export function closeOf(payload: Buffer): { readonly code: number; readonly reason: string } | undefined {
  if (payload.length === 0) return { code: 1005, reason: "" };
  if (payload.length === 1) return undefined;
  const code = payload.readUInt16BE(0);
  const isDefined =
    (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000);
  return isDefined ? { code, reason: payload.subarray(2).toString("utf8") } : undefined;
}
