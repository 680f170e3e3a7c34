/**
 * A string that the end of a chunk cut in two: what of it has to be kept until its end comes. Pure; one for each body,
 * on the HTTP workers. Keeps copies, and never more than the string may be long to mean anything.
 */
import { GOES_ON_ESCAPED } from "./string-end.ts";

/** `other` strings are only followed to their end. */
export type CutKind = "none" | "key" | "telling" | "other";

export class CutString {
  #kind: CutKind = "none";
  #pieces: Buffer[] = [];
  #bytes = 0;
  #bytesMax = 0;
  #start = 0;
  #isEscaped = false;

  get kind(): CutKind {
    return this.#kind;
  }

  /** Offset in the body of the string's first byte. */
  get start(): number {
    return this.#start;
  }

  /** First byte of the next chunk that may be the closing quote. */
  get resumeAt(): number {
    return this.#isEscaped ? 1 : 0;
  }

  /**
   * The chunk ends within a string.
   * @param why what `closingQuote` said.
   * @param bytesMax longest string that is kept, bytes.
   */
  begin(kind: CutKind, start: number, piece: Buffer, why: number, bytesMax: number): void {
    this.#kind = kind;
    this.#start = start;
    this.#bytesMax = kind === "other" ? 0 : bytesMax;
    this.goOn(piece, why);
  }

  /** Another chunk ends within it. */
  goOn(piece: Buffer, why: number): void {
    this.#isEscaped = why === GOES_ON_ESCAPED;
    this.#keep(piece);
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#bytesMax) this.#pieces.push(Buffer.from(piece));
  }

  /** @returns the whole string as it stands in the body; undefined when it is longer than asked for. */
  end(piece: Buffer): Buffer | undefined {
    this.#keep(piece);
    const isWhole = this.#bytes <= this.#bytesMax;
    const raw = isWhole ? Buffer.concat(this.#pieces) : undefined;
    this.#kind = "none";
    this.#pieces = [];
    this.#bytes = 0;
    return raw;
  }
}
