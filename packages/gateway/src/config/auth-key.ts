/** Auth keys as operators write them. Pure. */
import type { AuthKey } from "./option.ts";

/** A name, then `=`, then a secret. A text such as `c2VjcmV0==` has no secret after its first `=`, so it is one itself. */
const NAMED = /^([A-Za-z][A-Za-z0-9_.-]{0,63})=([^=].*)$/;

/** What can stand in an HTTP header and in a comma-separated list. */
const SECRET = /^[\x21-\x2b\x2d-\x7e]{1,512}$/;

/**
 * Auth keys of `NAME=SECRET` or `SECRET` items, in order; undefined when an item is neither, or a name or a secret
 * stands twice.
 */
export function parseAuthKeys(items: readonly string[]): readonly AuthKey[] | undefined {
  const keys = items.map((item, index): AuthKey => {
    const named = NAMED.exec(item);
    return named === null
      ? { name: `auth-key-${index + 1}`, secret: item }
      : { name: named[1] ?? "", secret: named[2] ?? "" };
  });
  const distinct = [new Set(keys.map((key) => key.name)), new Set(keys.map((key) => key.secret))];
  if (distinct.some((set) => set.size !== keys.length)) return undefined;
  return keys.every((key) => SECRET.test(key.secret)) ? keys : undefined;
}
