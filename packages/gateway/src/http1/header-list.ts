/** Headers as a flat list of names and values, as they are sent. Pure; any thread. */

/** The value of a header, several joined as one list; undefined without any. @param wanted in lower case */
export function headerOf(rawHeaders: readonly string[], wanted: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length !== wanted.length || (name !== wanted && name.toLowerCase() !== wanted)) continue;
    const value = rawHeaders[at + 1] ?? "";
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}
