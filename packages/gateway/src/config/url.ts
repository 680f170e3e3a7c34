/** URLs as operators write them. Pure. */
import type { UrlOption } from "./option.ts";

const URL_LENGTH_MAX = 2_048;

/**
 * The URL without a trailing slash, or "" for none (only where that is the default); undefined when `raw` is not one
 * the option allows.
 */
export function parseUrl(option: UrlOption, raw: unknown): string | undefined {
  if (typeof raw !== "string" || raw.length > URL_LENGTH_MAX) return undefined;
  const text = raw.trim();
  if (text === "") return option.default === "" ? "" : undefined;
  const url = URL.parse(text);
  if (url === null || !option.schemes.includes(url.protocol.slice(0, -1)) || url.hostname === "")
    return undefined;
  if (text.includes("?") || text.includes("#")) return undefined;
  const path = url.pathname.replace(/\/+$/, "");
  const password = url.password === "" ? "" : `:${url.password}`;
  const credentials = url.username + password === "" ? "" : `${url.username}${password}@`;
  if (option.allows === "path" ? credentials !== "" : path !== "") return undefined;
  return `${url.protocol}//${credentials}${url.host}${path}`;
}

/** The URL with its credentials masked whole. `url` is what {@link parseUrl} gave. */
export function maskUrl(url: string): string {
  return url.replace(/\/\/[^/]*@/, "//****@");
}
