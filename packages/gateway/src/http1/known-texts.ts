/**
 * Texts that come again in every message, made once: names and values of headers hardly change from one request to the
 * next, and a text made anew for each is most of what a request leaves to the garbage collector. HTTP workers, one for
 * each direction; pure. Must never be given what may be a credential: it keeps what it has read until other text needs
 * the place.
 */

/** Texts remembered, a power of two. */
const PLACES = 512;
/** Longer texts are made anew each time, octets. */
const LENGTH_MAX = 256;

export class KnownTexts {
  readonly #texts: string[] = Array.from({ length: PLACES }, () => "");

  /** The octets from `start` to `end` as text, each a character. */
  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > LENGTH_MAX) return bytes.toString("latin1", start, end);
    const place = placeOf(bytes, start, length);
    const known = this.#texts[place] ?? "";
    if (known.length === length && isText(known, bytes, start)) return known;
    const text = bytes.toString("latin1", start, end);
    this.#texts[place] = text;
    return text;
  }
}

/** Four octets tell most texts apart; those they do not take each other's place. */
function placeOf(bytes: Buffer, start: number, length: number): number {
  const first = bytes[start] ?? 0;
  const middle = bytes[start + (length >> 1)] ?? 0;
  const late = bytes[start + length - 1 - (length >> 2)] ?? 0;
  const last = bytes[start + length - 1] ?? 0;
  return (length * 37 + first * 7 + middle * 53 + late * 101 + last * 3) & (PLACES - 1);
}

function isText(text: string, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== bytes[start + at]) return false;
  }
  return true;
}
