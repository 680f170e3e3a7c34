/** Every error the emulator knows, by one name: what a fault rule asks for with `error`. Pure. */
import { REQUEST_ERRORS } from "./error-bodies.ts";
import type { ErrorSubject, UpstreamError } from "./error-bodies.ts";
import { KEY_ERRORS } from "./key-errors.ts";
import { QUOTA_ERRORS } from "./quota-errors.ts";

const NAMED_ERRORS = { ...REQUEST_ERRORS, ...KEY_ERRORS, ...QUOTA_ERRORS } as const;

export type ErrorName = keyof typeof NAMED_ERRORS;

export const ERROR_NAMES: readonly string[] = Object.keys(NAMED_ERRORS);

/** The error's body, spoken of this subject. */
export function namedError(name: ErrorName, subject: ErrorSubject): UpstreamError {
  return NAMED_ERRORS[name](subject);
}
