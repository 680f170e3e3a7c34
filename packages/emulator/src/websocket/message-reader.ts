/**
 * Reads a client's bytes into messages (RFC 6455): unmasks, joins fragments, checks the rules. Pure but for what it
 * holds of an unfinished message, which is bounded.
 */
import { isUtf8 } from "node:buffer";
import { closeOf, CONTROL_BYTES_MAX, OPCODE } from "./frame.ts";
import type { Frame } from "./frame.ts";

/** Largest message, all fragments together, bytes. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

export type Incoming =
  | { readonly kind: "message"; readonly isBinary: boolean; readonly payload: Buffer }
  | { readonly kind: "ping" | "pong"; readonly payload: Buffer }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

/** The rule that was broken, with the code to close with. Nothing more is read after it. */
export class ProtocolError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = "ProtocolError";
    this.code = code;
  }
}

export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #fragments: Buffer[] = [];
  #fragmentBytes = 0;
  /** Opcode of the message whose fragments are being read. */
  #opcode: number | undefined;

  /** Everything the bytes complete, in order. Throws a {@link ProtocolError}. */
  *read(chunk: Buffer): Generator<Incoming> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) {
      const incoming = frame.opcode >= OPCODE.close ? controlOf(frame) : this.#joined(frame);
      if (incoming !== undefined) yield incoming;
    }
  }

  #nextFrame(): Frame | undefined {
    const bytes = this.#rest;
    const head = headOf(bytes);
    if (head === undefined) return undefined;
    const { offset, length } = head;
    if (length + this.#fragmentBytes > MESSAGE_BYTES_MAX) throw new ProtocolError(1009, "message too big");
    const start = offset + 4;
    if (bytes.length < start + length) return undefined;
    const payload = unmasked(bytes.subarray(start, start + length), bytes.subarray(offset, start));
    this.#rest = bytes.subarray(start + length);
    return { isFinal: head.isFinal, opcode: head.opcode, payload };
  }

  /** The message a data frame completes. */
  #joined({ opcode, isFinal, payload }: Frame): Incoming | undefined {
    const isFirst = opcode !== OPCODE.continuation;
    if (isFirst === (this.#opcode !== undefined)) throw new ProtocolError(1002, "fragments out of order");
    this.#opcode ??= opcode;
    this.#fragments.push(payload);
    this.#fragmentBytes += payload.length;
    if (!isFinal) return undefined;
    const whole = Buffer.concat(this.#fragments.splice(0));
    const isBinary = this.#opcode === OPCODE.binary;
    this.#fragmentBytes = 0;
    this.#opcode = undefined;
    if (!isBinary && !isUtf8(whole)) throw new ProtocolError(1007, "text is not UTF-8");
    return { kind: "message", isBinary, payload: whole };
  }
}

interface Head {
  readonly isFinal: boolean;
  readonly opcode: number;
  /** Where the mask is. */
  readonly offset: number;
  readonly length: number;
}

const OPCODES: ReadonlySet<number> = new Set(Object.values(OPCODE));

/** The head of a frame when it is all there. */
function headOf(bytes: Buffer): Head | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const opcode = first & 0x0f;
  const isFinal = first >= 0x80;
  if ((first & 0x70) !== 0 || !OPCODES.has(opcode)) throw new ProtocolError(1002, "reserved bits or opcode");
  if (second < 0x80) throw new ProtocolError(1002, "frames of a client have to be masked");
  const short = second & 0x7f;
  if (opcode >= OPCODE.close && (short > CONTROL_BYTES_MAX || !isFinal)) {
    throw new ProtocolError(1002, "control frames are short and whole");
  }
  if (short < 126) return { isFinal, opcode, offset: 2, length: short };
  if (short === 126) {
    return bytes.length < 4 ? undefined : { isFinal, opcode, offset: 4, length: bytes.readUInt16BE(2) };
  }
  return bytes.length < 10
    ? undefined
    : { isFinal, opcode, offset: 10, length: Number(bytes.readBigUInt64BE(2)) };
}

function unmasked(masked: Buffer, mask: Buffer): Buffer {
  const payload = Buffer.allocUnsafe(masked.length);
  for (let index = 0; index < masked.length; index += 1) {
    payload[index] = (masked[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return payload;
}

function controlOf({ opcode, payload }: Frame): Incoming {
  if (opcode === OPCODE.ping) return { kind: "ping", payload };
  if (opcode === OPCODE.pong) return { kind: "pong", payload };
  const close = closeOf(payload);
  if (close === undefined) throw new ProtocolError(1002, "invalid close frame");
  return { kind: "close", ...close };
}
