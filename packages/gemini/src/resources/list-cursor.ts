/**
 * Page tokens of the gateway's own for lists over several projects: where the list goes on, whole in the token, so that
 * it outlives restarts and any worker understands it. Pure; runs on the HTTP workers.
 * Holds a project's id and that project's own page token, never a key. Not signed: a forged one can only ask for
 * another page of a list that its bearer may read anyway; the checksum is for telling garbage from a token.
 */
import { hashBytes, hexOf } from "./byte-hash.ts";
import type { ListRoute } from "./list-route.ts";

/** Where a list goes on. */
export interface ListPosition {
  /** Id of the project; those before it in order are done. No secret: it stands in the token. */
  readonly project: string;
  /** The project's own token of the page to go on in; "" for its first. */
  readonly pageToken: string;
  /** Items of that page that were shown already. */
  readonly skip: number;
}

export type DecodedCursor =
  | { readonly kind: "position"; readonly position: ListPosition }
  /** `why` is a sentence for the caller. */
  | { readonly kind: "refused"; readonly why: string };

const PREFIX = "union1.";
/** Longest token given out, characters: it has to fit into a URL with room to spare. */
export const CURSOR_LENGTH_MAX = 4096;
const SEED = 0x6c_69_73_74;

function checksum(text: string): string {
  const bytes = Buffer.from(text);
  return hexOf(hashBytes(bytes, 0, bytes.length, SEED)).slice(0, 8);
}

function listName({ dialect, collection }: ListRoute): string {
  return `${dialect.name}/${collection}`;
}

/** @returns undefined when it would be too long: the project's own token is, beyond reason. */
export function encodeCursor(
  route: ListRoute,
  { project, pageToken, skip }: ListPosition,
): string | undefined {
  const payload = JSON.stringify([listName(route), project, pageToken, skip]);
  const cursor = PREFIX + Buffer.from(checksum(payload) + payload).toString("base64url");
  return cursor.length > CURSOR_LENGTH_MAX ? undefined : cursor;
}

function refused(why: string): DecodedCursor {
  return { kind: "refused", why };
}

const GARBAGE = "The page token is not one of this gateway, or it was changed on its way.";

function payloadOf(cursor: string): unknown {
  const text = Buffer.from(cursor.slice(PREFIX.length), "base64url").toString();
  const payload = text.slice(8);
  if (text.slice(0, 8) !== checksum(payload)) return undefined;
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

/** Reads a token that {@link encodeCursor} made for the same list. Never throws. */
export function decodeCursor(route: ListRoute, cursor: string): DecodedCursor {
  if (!cursor.startsWith(PREFIX) || cursor.length > CURSOR_LENGTH_MAX) return refused(GARBAGE);
  const payload = payloadOf(cursor);
  if (!Array.isArray(payload) || payload.length !== 4) return refused(GARBAGE);
  const [list, project, pageToken, skip] = payload as unknown[];
  if (typeof project !== "string" || typeof pageToken !== "string") return refused(GARBAGE);
  if (!Number.isSafeInteger(skip) || (skip as number) < 0) return refused(GARBAGE);
  if (list !== listName(route)) return refused("The page token belongs to another list.");
  return { kind: "position", position: { project, pageToken, skip: skip as number } };
}
