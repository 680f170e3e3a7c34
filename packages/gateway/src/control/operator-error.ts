/**
 * The one class of error meant for the operator's eyes: the message says what is wrong and what to do about it.
 * Any thread. Must never carry a key, whole or in part, nor the text of a key file.
 */

export type OperatorErrorCode =
  /** Another gateway holds the database. */
  | "database-in-use"
  /** The database was written by a newer gateway. */
  | "database-newer"
  /** The database was written by an older gateway and is only open for reading. */
  | "database-older"
  /** The file is no database, or one of another program. */
  | "database-foreign"
  /** There is no database file at that path. */
  | "database-missing"
  /** The file system refused to open or create it. */
  | "database-unusable"
  /** A key file or the folder of keys could not be read or written. */
  | "key-files"
  /** The address or port cannot be listened on. */
  | "address-unusable"
  /** What was asked makes no sense: a bad file name, an empty list, an unknown fingerprint. */
  | "bad-request"
  /** The running gateway did not answer as expected. */
  | "control-failed";

export class OperatorError extends Error {
  override readonly name = "OperatorError";
  readonly code: OperatorErrorCode;

  constructor(code: OperatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The system's code of a failure (`ENOENT`, `SQLITE_BUSY` …), or "" when it has none. Safe to show. */
export function systemCodeOf(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}
