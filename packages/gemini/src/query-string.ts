/**
 * The query of a request as text: which parameters are credentials, and the query without them.
 * Runs on the HTTP workers, once per request. Must never re-encode or reorder what it keeps: page tokens and field
 * masks are opaque, so everything but the removed parameters stays byte for byte.
 */

/**
 * Parameters in which Google accepts a credential, lower-cased; every system parameter also has a `$` form.
 * Google compares case-sensitively, we do not: a key in a misspelt parameter is still a secret on its way to a log.
 */
const CREDENTIAL_PARAMETERS: ReadonlySet<string> = new Set([
  "key",
  "$key",
  "access_token",
  "$access_token",
  "oauth_token",
  "$oauth_token",
  "bearer_token",
  "$bearer_token",
  "x-goog-api-key",
]);

/** Not secret, but would charge the quota of another project than the key's; see the header x-goog-user-project. */
const QUOTA_PROJECT_PARAMETERS: ReadonlySet<string> = new Set(["userproject", "$userproject"]);

/** One parameter as sent: nothing is decoded. `value` is "" when there is no `=`. */
export interface RawParameter {
  readonly name: string;
  readonly value: string;
}

/**
 * Calls `visit` for each parameter in order. `?` separates as `&` does: joining `?key=` to a URL that has a query
 * already is a common slip, and its key must be found all the same.
 */
function eachParameter(query: string, visit: (raw: string, separatorAt: number) => void): void {
  let start = 0;
  for (let index = 0; index <= query.length; index += 1) {
    const code = query.charCodeAt(index);
    if (index < query.length && code !== 0x26 && code !== 0x3f) continue;
    visit(query.slice(start, index), start - 1);
    start = index + 1;
  }
}

function splitParameter(raw: string): RawParameter {
  const equalsAt = raw.indexOf("=");
  return equalsAt < 0
    ? { name: raw, value: "" }
    : { name: raw.slice(0, equalsAt), value: raw.slice(equalsAt + 1) };
}

/** Percent-decodes; text that is not valid percent-encoding comes back as it is. A `+` stays: keys may hold one. */
export function decodeLeniently(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a raw parameter name, however it is encoded or cased, is one of Google's credential parameters. */
export function isCredentialParameter(rawName: string): boolean {
  return CREDENTIAL_PARAMETERS.has(decodeLeniently(rawName).toLowerCase());
}

function isWithheld(rawName: string): boolean {
  const name = decodeLeniently(rawName).toLowerCase();
  return CREDENTIAL_PARAMETERS.has(name) || QUOTA_PROJECT_PARAMETERS.has(name);
}

/** The query (without its `?`) as it may go upstream: credentials and quota project removed, the rest untouched. */
export function withoutCredentials(query: string): string {
  if (query === "" || query === "alt=sse") return query;
  let kept = "";
  let keptAny = false;
  eachParameter(query, (raw, separatorAt) => {
    if (isWithheld(splitParameter(raw).name)) return;
    kept += keptAny ? query.charAt(separatorAt) + raw : raw;
    keptAny = true;
  });
  return kept.length === query.length ? query : kept;
}

/** Every parameter in order, raw; for the few routes and checks that need to look. */
export function queryParameters(query: string): RawParameter[] {
  const parameters: RawParameter[] = [];
  if (query !== "") eachParameter(query, (raw) => parameters.push(splitParameter(raw)));
  return parameters;
}
