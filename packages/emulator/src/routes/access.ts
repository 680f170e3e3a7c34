/**
 * Steps all routes of resources share: may this project see it, keep a new one, page through a list. Every one of them
 * tells the log of the call what it touched. Pure but for the shelves.
 */
import { randomBytes } from "node:crypto";
import { badRequest, Refusal } from "../error-bodies.ts";
import type { UpstreamError } from "../error-bodies.ts";
import { sealed, unsealed } from "../resources/sealed-text.ts";
import type { Entry, Shelf } from "../resources/shelf.ts";
import type { RouteContext } from "./context.ts";

/** The caller's own resource; refuses a foreign or missing one with `refusal`. */
export function owned<T>(
  context: RouteContext,
  shelf: Shelf<T>,
  name: string,
  refusal: UpstreamError,
): Entry<T> {
  const entry = shelf.find(name, context.nowMs);
  if (entry?.owner === context.project.name) {
    context.touches.add(name, entry.owner, "used");
    return entry;
  }
  context.touches.add(name, entry?.owner ?? "", "refused");
  throw new Refusal(refusal);
}

/** Keeps a new resource of the caller's project. */
export function kept<T>(
  context: RouteContext,
  shelf: Shelf<T>,
  name: string,
  value: T,
  expiresAtMs?: number,
): Entry<T> {
  const entry = shelf.put(name, context.project.name, value, expiresAtMs);
  context.touches.add(name, entry.owner, "created");
  return entry;
}

/** An id such as Google makes: lower-case letters and digits. */
export function newId(characters: number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(randomBytes(characters), (byte) => alphabet.charAt(byte % alphabet.length)).join("");
}

export interface Page<T> {
  readonly entries: readonly Entry<T>[];
  /** Absent on the last page. */
  readonly nextPageToken: string | undefined;
}

export interface PageWish {
  readonly kind: string;
  readonly size: number;
  readonly token: string | undefined;
}

/** The page a query asks for: `pageSize` and `pageToken`, or their snake_case forms. */
export function pageWish(
  query: URLSearchParams,
  kind: string,
  sizeDefault: number,
  sizeMax: number,
): PageWish {
  const asked = Number(query.get("pageSize") ?? query.get("page_size") ?? 0);
  if (!Number.isInteger(asked) || asked < 0) throw new Refusal(badRequest("page_size must not be negative"));
  const token = query.get("pageToken") ?? query.get("page_token") ?? undefined;
  return {
    kind,
    size: Math.min(asked === 0 ? sizeDefault : asked, sizeMax),
    token: token === "" ? undefined : token,
  };
}

/** One page of the caller's own resources, the newest first; a token goes by the last one shown, so deletions do not shift it. */
export function pageOf<T>(
  context: RouteContext,
  shelf: Shelf<T>,
  wish: PageWish,
  isWanted: (entry: Entry<T>) => boolean = () => true,
): Page<T> {
  const { name: owner } = context.project;
  const before = wish.token === undefined ? Infinity : sequenceIn(wish.token, wish.kind, owner);
  const all = shelf
    .ofProject(owner, context.nowMs)
    .filter((entry) => entry.sequence < before && isWanted(entry));
  const entries = all.slice(0, wish.size);
  const last = entries.at(-1);
  const hasMore = all.length > entries.length && last !== undefined;
  return { entries, nextPageToken: hasMore ? sealed(wish.kind, owner, String(last.sequence)) : undefined };
}

/** Refuses a token of another project or another list. */
function sequenceIn(token: string, kind: string, owner: string): number {
  const found = unsealed(kind, token);
  const sequence = Number(found?.payload);
  if (found?.owner === owner && Number.isInteger(sequence)) return sequence;
  throw new Refusal(badRequest("Page token is invalid."));
}

/** A list as protobuf JSON writes it: an empty one is not there at all. */
export function listBody(field: string, items: readonly object[], nextPageToken: string | undefined): object {
  return {
    ...(items.length > 0 && { [field]: items }),
    ...(nextPageToken !== undefined && { nextPageToken }),
  };
}

/** `2026-11-25T22:31:07.123456Z`, microseconds as Google has them. */
export function timestamp(atMs: number): string {
  return new Date(atMs).toISOString().replace("Z", "000Z");
}
