/**
 * A lower bound of a request's tokens, from its bytes. Runs on the HTTP workers, for requests a token quota refused.
 * Must never claim more tokens than Google would count: the claim ends the retries.
 */

/** No text has more bytes to a token over any length; English has four, escaped scripts more per character. */
const BYTES_PER_TOKEN_MAX = 8;
/** Requests smaller than this are not estimated, bytes: they fit every quota there is. */
const ESTIMATED_BYTES_MIN = 32_768;

const DATA_NAME = Buffer.from('"data"');
const QUOTE = 0x22;
/** Bytes between a name and its value: a colon and white space. */
const GAP_BYTES_MAX = 16;

/** Bytes in values of `data` fields: base64 of images and sound, whose tokens do not follow from their size. */
function inlineDataBytes(body: Buffer): number {
  let total = 0;
  let at = body.indexOf(DATA_NAME);
  while (at >= 0) {
    const nameEnd = at + DATA_NAME.length;
    const opening = body.indexOf(QUOTE, nameEnd);
    if (opening < 0) break;
    const isValue = opening - nameEnd <= GAP_BYTES_MAX;
    const closing = isValue ? body.indexOf(QUOTE, opening + 1) : nameEnd;
    if (closing < 0) return total + body.length - opening;
    if (isValue) total += closing - opening;
    at = body.indexOf(DATA_NAME, closing);
  }
  return total;
}

/** Tokens that a JSON request body has at least; 0 for small ones. */
export function requestTokensFloor(body: Buffer): number {
  if (body.length < ESTIMATED_BYTES_MIN) return 0;
  return Math.floor((body.length - inlineDataBytes(body)) / BYTES_PER_TOKEN_MAX);
}
