/**
 * Where a JSON string ends. Pure; the inner loop of the scanner. Looks at the first bytes one by one, for most strings
 * are short, and then jumps from quote to quote: a megabyte of base64 costs one search in memory.
 */

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;

/** The string goes on in the next bytes. */
export const GOES_ON = -1;
/** The string goes on, and the first of the next bytes is escaped. */
export const GOES_ON_ESCAPED = -2;

/** Bytes looked at one by one before a jump; also after each escaped quote, so that quoted code costs no more. */
const NEAR_BYTES = 48;

/**
 * @param from first byte inside the string, not escaped.
 * @returns index of the closing quote, {@link GOES_ON} or {@link GOES_ON_ESCAPED}.
 */
export function closingQuote(bytes: Buffer, from: number): number {
  const end = bytes.length;
  let at = from;
  for (;;) {
    const near = Math.min(end, at + NEAR_BYTES);
    while (at < near) {
      const byte = bytes[at];
      if (byte === QUOTE) return at;
      at += byte === BACKSLASH ? 2 : 1;
    }
    if (at >= end) return at > end ? GOES_ON_ESCAPED : GOES_ON;
    const quoteAt = bytes.indexOf(QUOTE, at);
    const stop = quoteAt < 0 ? end : quoteAt;
    let run = stop;
    while (run > at && bytes[run - 1] === BACKSLASH) run -= 1;
    const isEscaped = ((stop - run) & 1) === 1;
    if (quoteAt < 0) return isEscaped ? GOES_ON_ESCAPED : GOES_ON;
    if (!isEscaped) return quoteAt;
    at = quoteAt + 1;
  }
}
