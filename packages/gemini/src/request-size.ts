/** How many tokens a request has at least, told from its bytes alone: to know a request no quota could ever fit. */

/** No tokenizer packs more than about this many bytes of ordinary text into one token. */
const BYTES_A_TOKEN = 8;
/** A part with inline data (base64) or a file counts by its content, not by its length. */
const INLINE_DATA = ["inlineData", "inline_data", "image_url", "input_audio"];

/** A lower bound of the tokens in a JSON request body; 0 when it cannot be told. */
export function requestTokensFloor(body: Buffer): number {
  if (INLINE_DATA.some((name) => body.includes(name))) return 0;
  return Math.floor(body.length / BYTES_A_TOKEN);
}
