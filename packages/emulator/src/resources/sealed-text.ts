/**
 * Opaque tokens that belong to one project: page tokens, thought signatures, continuation tokens, Live handles. Pure.
 * To a client they are base64url without meaning; the emulator reads from them who gave them out.
 */

export interface Sealed {
  /** Name of the project that gave it out. */
  readonly owner: string;
  readonly payload: string;
}

/** What stands before every seal of the emulator, so that text from elsewhere is not taken for one. */
const MARK = "emulated";

export function sealed(kind: string, owner: string, payload: string): string {
  return Buffer.from(JSON.stringify([MARK, kind, owner, payload])).toString("base64url");
}

/** The content of a token of this kind; undefined for what the emulator did not give out. */
export function unsealed(kind: string, token: string): Sealed | undefined {
  const parts = partsOf(token);
  if (parts === undefined || parts.length !== 4 || !parts.every((part) => typeof part === "string"))
    return undefined;
  const [mark, found, owner, payload] = parts as readonly [string, string, string, string];
  const isOwn = mark === MARK && found === kind && sealed(kind, owner, payload) === unpadded(token);
  return isOwn ? { owner, payload } : undefined;
}

function partsOf(token: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Clients may have carried it through base64 of the other alphabet. */
function unpadded(token: string): string {
  return token.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
