/**
 * Why the system refused a file or folder, for the operator: its code, and what that means. Any thread; pure.
 * Must never repeat an error's own message: it may hold a part of what was read.
 */

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "it does not exist"],
  ["ENOTDIR", "it is not a folder"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "this user may not"],
  ["EPERM", "this user may not"],
  ["EROFS", "the disk is read-only"],
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "this user's share of the disk is full"],
  ["ELOOP", "its links lead in a circle"],
]);

/** Such as `(ENOENT): it does not exist`, to stand after "cannot be read"; the code alone when it is an uncommon one. */
export function systemReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  const words = WORDS.get(code);
  return words === undefined ? `(${code})` : `(${code}): ${words}`;
}
