/**
 * A request target made safe to route: double slashes collapsed, the gateway's path prefix taken off, credentials
 * dropped from the query. Runs on the HTTP workers, once per request, before anything trusts the URL.
 * Must never let a target through that the upstream could read as another path than the one that was routed.
 */
import { withoutCredentials } from "./query-string.ts";

export interface RequestTarget {
  /** Path below the prefix as the client spelled it, starting with one slash. */
  readonly path: string;
  /** Query without `?` and without credentials. */
  readonly query: string;
}

interface Scan {
  readonly pathEnd: number;
  readonly encoded: boolean;
  /** The path has `//` or a segment that starts with a dot: worth a second look. */
  readonly irregular: boolean;
}

/** One pass over the raw target; undefined for a byte that has no place in one (RFC 9112) or that servers disagree on. */
function scanTarget(url: string): Scan | undefined {
  let pathEnd = -1;
  let encoded = false;
  let irregular = false;
  let previous = 0;
  for (let index = 0; index < url.length; index += 1) {
    const code = url.charCodeAt(index);
    // Controls, space, DEL, raw non-ASCII, backslash, fragment.
    if (code <= 0x20 || code >= 0x7f || code === 0x5c || code === 0x23) return undefined;
    if (pathEnd >= 0) continue;
    if (code === 0x3f) pathEnd = index;
    else if (code === 0x25) encoded = true;
    else if (previous === 0x2f && (code === 0x2f || code === 0x2e)) irregular = true;
    previous = code;
  }
  return { pathEnd: pathEnd < 0 ? url.length : pathEnd, encoded, irregular };
}

/** False when the path is badly encoded or hides a control character, a backslash or a dot segment (also encoded). */
function isSafePath(path: string): boolean {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return false;
  }
  for (let index = 0; index < decoded.length; index += 1) {
    const code = decoded.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x5c) return false;
  }
  return !/(?:^|\/)\.{1,2}(?:\/|$)/.test(decoded);
}

function withoutPrefix(path: string, prefix: string): string | undefined {
  const bare = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  if (bare === "") return path;
  return path.startsWith(bare) && path.charCodeAt(bare.length) === 0x2f ? path.slice(bare.length) : undefined;
}

/**
 * @param url raw request target in origin form (`/path?query`), at most what the HTTP parser lets through.
 * @param pathPrefix path under which the gateway is mounted, such as `/gw`; "" for none.
 * @returns undefined for a target outside the prefix, in another form, or unsafe to forward. Never throws.
 */
export function readTarget(url: string, pathPrefix: string): RequestTarget | undefined {
  if (url.charCodeAt(0) !== 0x2f) return undefined;
  const scan = scanTarget(url);
  if (scan === undefined) return undefined;
  const sentPath = url.slice(0, scan.pathEnd);
  const path = withoutPrefix(scan.irregular ? sentPath.replace(/\/{2,}/g, "/") : sentPath, pathPrefix);
  if (path === undefined) return undefined;
  if ((scan.encoded || scan.irregular) && !isSafePath(path)) return undefined;
  return { path, query: withoutCredentials(url.slice(scan.pathEnd + 1)) };
}
