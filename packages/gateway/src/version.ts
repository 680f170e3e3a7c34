/** The version of this program. Primary thread and command line. */
import { readFileSync } from "node:fs";

/**
 * The version in package.json, which lies one folder above this file in the checkout and in the published package.
 * Read and not imported, because the build has no place for a file from outside of `src`.
 */
export function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
