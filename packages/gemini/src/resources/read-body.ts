/** Reads a request's body that is all at hand: scanned, or parsed where the scan is ambiguous. On the HTTP workers. */
import type { BodyReading } from "./body-reading.ts";
import { BodyScanner } from "./body-scanner.ts";
import { walkBody } from "./body-walk.ts";
import type { PublicBase } from "./file-address.ts";

/**
 * @param body JSON, else the reading means nothing. Never throws.
 * @param bases the gateway's own addresses, see file-address.ts.
 */
export function readBody(body: Buffer, bases: readonly PublicBase[] = []): BodyReading {
  const scanner = new BodyScanner(bases);
  scanner.push(body);
  return scanner.isAmbiguous ? walkBody(body, bases) : scanner.reading();
}

/** The same of a body in pieces, which are put together, by `whole`, only where it has to be parsed. */
export function readBodyInPieces(
  pieces: readonly Buffer[],
  whole: () => Buffer,
  bases: readonly PublicBase[] = [],
): BodyReading {
  const scanner = new BodyScanner(bases);
  for (const piece of pieces) scanner.push(piece);
  return scanner.isAmbiguous ? walkBody(whole(), bases) : scanner.reading();
}
