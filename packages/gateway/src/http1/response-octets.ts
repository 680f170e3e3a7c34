/**
 * Which octets may stand where in an answer (RFC 9110, 5.5 and 5.6.2), as tables to look them up in. Pure; HTTP workers.
 */

/** Octets of a token: names of headers and of chunk extensions. */
export const IS_TOKEN: Uint8Array = tableOf(
  "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
);

/** Octets of a header's value and of a reason phrase: tab, and whatever is no control character. */
export const IS_TEXT: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet === 0x09 || (octet >= 0x20 && octet !== 0x7f) ? 1 : 0,
);

export const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const SPACE = 0x20;

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
