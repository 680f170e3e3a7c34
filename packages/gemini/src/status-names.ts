/**
 * HTTP statuses by the names errors go under: the canonical ones of Google's RPC and the codes of Interactions.
 * An error inside a 200 stream has no other status than what its name tells.
 */

const STATUS_BY_NAME: ReadonlyMap<string, number> = new Map([
  ["INVALID_ARGUMENT", 400],
  ["FAILED_PRECONDITION", 400],
  ["OUT_OF_RANGE", 400],
  ["UNAUTHENTICATED", 401],
  ["PERMISSION_DENIED", 403],
  ["NOT_FOUND", 404],
  ["ABORTED", 409],
  ["ALREADY_EXISTS", 409],
  ["RESOURCE_EXHAUSTED", 429],
  ["CANCELLED", 499],
  ["UNKNOWN", 500],
  ["DATA_LOSS", 500],
  ["INTERNAL", 500],
  ["UNIMPLEMENTED", 501],
  ["UNAVAILABLE", 503],
  ["DEADLINE_EXCEEDED", 504],
  ["invalid_request", 400],
  ["failed_precondition", 400],
  ["parameter_unknown", 400],
  ["authentication", 401],
  ["payment_required", 402],
  ["permission_denied", 403],
  ["not_found", 404],
  ["model_not_found", 404],
  ["out_of_range", 416],
  ["rate_limit_exceeded", 429],
  ["quota_exceeded", 429],
  ["cancelled", 499],
  ["api_error", 500],
  ["service_unavailable", 503],
  ["deadline_exceeded", 504],
]);

/** Interactions have codes of their own for generation that was blocked; the list is not published. */
const BLOCKED_NAME = /block|safety|prohibited|recitation|spii/i;

/**
 * Status of an error by its numeric code where it is an HTTP status, else by its name.
 * 500 for what is unknown: that asks for another try, and never for a key's removal.
 */
export function statusOfError(code: number | undefined, name: string): number {
  if (code !== undefined && code >= 400 && code < 600) return code;
  return STATUS_BY_NAME.get(name) ?? (BLOCKED_NAME.test(name) ? 400 : 500);
}
