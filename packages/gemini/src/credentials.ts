/**
 * The credentials a client presented, wherever Google's clients put them.
 * Runs on the HTTP workers. What it returns is secret: to be compared and redacted, never logged or forwarded.
 */
import { decodeLeniently, isCredentialParameter, queryParameters } from "./query-string.ts";

/** Most credentials looked at in one request; nobody needs more, and each is compared in constant time. */
export const CREDENTIALS_MAX = 8;

const AUTHORIZATION_SCHEME = /^(?:bearer|token)\s+(.*)$/is;

const GOOGLE_HEADER = "x-goog-api-key";
const AUTHORIZATION = "authorization";

function fromHeader(name: string, value: string): string | undefined {
  if (name.length === GOOGLE_HEADER.length && name.toLowerCase() === GOOGLE_HEADER) return value.trim();
  if (name.length !== AUTHORIZATION.length || name.toLowerCase() !== AUTHORIZATION) return undefined;
  return AUTHORIZATION_SCHEME.exec(value.trim())?.[1]?.trim();
}

/**
 * Every credential of a request, decoded, each once, in the order headers then query; at most {@link CREDENTIALS_MAX}.
 * Several may be equal or differ: gemini-cli can send the same key in two headers, which Google itself refuses.
 *
 * @param rawHeaders flat `[name, value, ...]` as node:http gives them.
 * @param url raw request target. Never throws, whatever it holds.
 */
export function clientCredentials(rawHeaders: readonly string[], url: string): string[] {
  const found: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    add(found, fromHeader(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""));
  }
  const queryAt = url.indexOf("?");
  if (queryAt < 0) return found;
  for (const { name, value } of queryParameters(url.slice(queryAt + 1))) {
    if (isCredentialParameter(name)) add(found, decodeLeniently(value));
  }
  return found;
}

function add(found: string[], credential: string | undefined): void {
  if (credential === undefined || credential === "") return;
  if (found.length < CREDENTIALS_MAX && !found.includes(credential)) found.push(credential);
}
