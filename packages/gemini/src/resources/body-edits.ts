/**
 * Changes single strings of a JSON body and leaves every other byte as it was received: an alias for a model, the
 * gateway's own address where Google's has to stand. Pure; runs on the HTTP workers, on the few bodies that need it.
 */
import type { BodyReading, Span } from "./body-reading.ts";
import { withBase } from "./file-address.ts";

/** Another text for a string; the span is what lies between its quotes. */
export interface Edit extends Span {
  readonly text: string;
}

/** The bytes with the edits made, in any order, of which none overlap; the same buffer when there are none. */
export function withEdits(body: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return body;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of edits.toSorted((one, other) => one.start - other.start)) {
    pieces.push(body.subarray(from, start), Buffer.from(JSON.stringify(text).slice(1, -1)));
    from = end;
  }
  pieces.push(body.subarray(from));
  return Buffer.concat(pieces);
}

/**
 * Turns addresses of the gateway back into those of the upstream.
 * @param upstreamOrigin without a slash at its end; Google's, but for tests.
 * @returns undefined when it cannot be told where they are: the body had to be parsed.
 */
export function ownAddressEdits({ ownAddresses }: BodyReading, upstreamOrigin: string): Edit[] | undefined {
  return ownAddresses?.map(({ start, end, text, base }) => ({
    start,
    end,
    text: withBase(text, base, upstreamOrigin) ?? text,
  }));
}
