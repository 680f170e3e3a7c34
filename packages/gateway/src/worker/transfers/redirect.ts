/** Where an answer sends whoever asked. Worker threads; pure. */
import { headerOf } from "../../http1/header-list.ts";
import type { KeptAnswer } from "../kept-answer.ts";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Longest address followed, characters. */
const ADDRESS_LENGTH_MAX = 8192;

export function isRedirect({ status, rawHeaders }: KeptAnswer): boolean {
  return REDIRECTS.has(status) && headerOf(rawHeaders, "location") !== undefined;
}

/**
 * The absolute address a GET is to be made to; undefined for an answer that is no redirect.
 * @param asked absolute address that gave the answer
 */
export function redirectOf({ status, rawHeaders }: KeptAnswer, asked: string): string | undefined {
  const location = REDIRECTS.has(status) ? headerOf(rawHeaders, "location") : undefined;
  if (location === undefined || location.length > ADDRESS_LENGTH_MAX) return undefined;
  return URL.parse(location, asked)?.href;
}
