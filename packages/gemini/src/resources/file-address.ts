/**
 * Addresses of files and other resources: a full URL of Google's host or of the gateway itself, or a bare name, told
 * apart and turned into each other. Pure; runs on the HTTP workers.
 * Must never take a stranger's URL for a resource: any web page may lie below `/files/`.
 */
import { decodeLeniently } from "../query-string.ts";
import { resourceOfPath } from "./path-resource.ts";
import { NAME_LENGTH_MAX, type Resource } from "./resource-name.ts";

/** Google's own address, as it stands in every `uri` and upload URL. */
export const GOOGLE_ORIGIN = "https://generativelanguage.googleapis.com";

/** Below the origin: `/v1beta/files/x`, `/download/v1beta/files/x:download`, `/upload/v1beta/files`. */
const VERSIONED = /^\/+(?:(?:up|down)load\/+)?v1(?:beta|alpha)?(?:\/+openai)?(?=\/)/;

/** An address of the gateway: its public origin and, when it is mounted below one, its path prefix; no slash at the end. */
export type PublicBase = string;

export interface Address {
  readonly resource: Resource;
  /** The base the address begins with, when it is the gateway's own: Google would not know it. */
  readonly ownBase: PublicBase | undefined;
}

/** Whether `url` lies below `base`: origins compare without case, as the URL standard has it. */
function isBelow(url: string, base: string): boolean {
  return (
    url.length > base.length &&
    url.charCodeAt(base.length) === 0x2f &&
    url.slice(0, base.length).toLowerCase() === base.toLowerCase()
  );
}

function resourceBelow(path: string): Resource | undefined {
  const versioned = VERSIONED.exec(path);
  if (versioned === null) return undefined;
  const queryAt = path.search(/[?#]/);
  const below = path.slice(versioned[0].length, queryAt < 0 ? undefined : queryAt);
  return resourceOfPath(decodeLeniently(below.replace(/^\/+/, "/")));
}

/**
 * Reads a `fileUri`, `uri` or name.
 * @param bases the gateway's own addresses, see {@link PublicBase}.
 * @returns undefined for what names no resource: other hosts, `data:`, `gs://`, models.
 */
export function readAddress(text: string, bases: readonly PublicBase[]): Address | undefined {
  if (text.length > NAME_LENGTH_MAX) return undefined;
  if (!text.includes("://")) {
    const resource = resourceOfPath(text.startsWith("/") ? text : `/${text}`);
    return resource === undefined ? undefined : { resource, ownBase: undefined };
  }
  const ownBase = bases.find((base) => isBelow(text, base));
  const base = ownBase ?? (isBelow(text, GOOGLE_ORIGIN) ? GOOGLE_ORIGIN : undefined);
  if (base === undefined) return undefined;
  const resource = resourceBelow(text.slice(base.length));
  return resource === undefined ? undefined : { resource, ownBase };
}

/** The same address with another base: Google's with the gateway's, or the other way round; undefined if it has neither. */
export function withBase(url: string, from: string, to: string): string | undefined {
  return isBelow(url, from) ? to + url.slice(from.length) : undefined;
}
