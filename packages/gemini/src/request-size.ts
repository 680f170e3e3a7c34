/** How many tokens a request has at least, told from its bytes alone: to know a request no quota could ever fit. */

/** No tokenizer packs more than about this many bytes of ordinary text into one token. */
const BYTES_A_TOKEN = 8;
/** A part with inline data (base64) or a file counts by its content, not by its length. */
const INLINE_DATA = ["inlineData", "inline_data", "image_url", "input_audio"];

/** Content that lies elsewhere: a file, a cache. */
const REFERENCES = ["fileData", "file_data", "cachedContent", "cached_content"];

/** Bytes of a request whose length tells its size; undefined when it holds or names what does not count by its bytes. */
export function textBytes(body: Buffer): number | undefined {
  const isOpaque = [...INLINE_DATA, ...REFERENCES].some((name) => body.includes(name));
  return isOpaque ? undefined : body.length;
}

/** A lower bound of the tokens in a JSON request body; 0 when it cannot be told. */
export function requestTokensFloor(body: Buffer): number {
  if (INLINE_DATA.some((name) => body.includes(name))) return 0;
  return Math.floor(body.length / BYTES_A_TOKEN);
}
