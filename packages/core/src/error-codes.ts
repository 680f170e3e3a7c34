/**
 * Every failure the gateway itself can answer with, in one table. The public text is safe to show to any client.
 * Clients see it in Google's error shape, so that their own error handling works.
 */

export interface ErrorAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Google's canonical status name (google.rpc.Code). */
  readonly canonical: string;
  /** One sentence for whoever called. */
  readonly text: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

const TABLE = {
  "not-found": [
    404,
    "NOT_FOUND",
    "The gateway serves the Gemini API only; this path is not part of it.",
    false,
  ],
  "method-not-allowed": [405, "INVALID_ARGUMENT", "This method is not part of the Gemini API.", false],
  unauthenticated: [401, "UNAUTHENTICATED", "This gateway needs one of its own auth keys.", false],
  "client-expired": [401, "UNAUTHENTICATED", "This auth key has expired.", false],
  "client-model-denied": [403, "PERMISSION_DENIED", "This auth key may not use this model.", false],
  "client-requests": [
    429,
    "RESOURCE_EXHAUSTED",
    "This auth key has made as many requests as it may for now.",
    true,
  ],
  "client-tokens": [
    429,
    "RESOURCE_EXHAUSTED",
    "This auth key has used as many tokens as it may for now.",
    true,
  ],
  "client-concurrency": [
    429,
    "RESOURCE_EXHAUSTED",
    "This auth key has as many requests in progress as it may.",
    true,
  ],
  "address-limited": [
    429,
    "RESOURCE_EXHAUSTED",
    "This address makes more requests a minute than the gateway allows without an auth key.",
    true,
  ],
  "address-banned": [403, "PERMISSION_DENIED", "This address is banned from the gateway.", false],
  "breaker-open": [
    503,
    "UNAVAILABLE",
    "Too few API keys of the gateway are healthy to serve requests without an auth key for this model.",
    true,
  ],
  "foreign-page": [
    403,
    "PERMISSION_DENIED",
    "Web pages of other sites need one of this gateway's auth keys.",
    false,
  ],
  "malformed-request": [400, "INVALID_ARGUMENT", "The request could not be read as HTTP.", false],
  "unfinished-request": [408, "DEADLINE_EXCEEDED", "The request did not arrive in full in time.", false],
  "headers-too-large": [
    431,
    "INVALID_ARGUMENT",
    "The request's headers are larger than the gateway accepts.",
    false,
  ],
  "body-too-large": [
    413,
    "INVALID_ARGUMENT",
    "The request's body is larger than the gateway accepts.",
    false,
  ],
  "too-many-requests-at-once": [
    503,
    "UNAVAILABLE",
    "The gateway serves as many requests as it may at once.",
    true,
  ],
  "too-many-sessions": [
    503,
    "UNAVAILABLE",
    "The gateway holds as many Live sessions as it may at once.",
    true,
  ],
  "shutting-down": [503, "UNAVAILABLE", "The gateway is being stopped or restarted.", true],
  "malformed-handshake": [
    400,
    "INVALID_ARGUMENT",
    "The request is no WebSocket handshake of version 13.",
    false,
  ],
  "no-live-setup": [400, "INVALID_ARGUMENT", "The first message of a Live session must be its setup.", false],
  "live-setup-late": [504, "DEADLINE_EXCEEDED", "No setup arrived in time.", false],
  "body-memory-full": [503, "UNAVAILABLE", "The gateway's memory for request bodies is in use.", true],
  "pool-empty": [503, "UNAVAILABLE", "The gateway has no API key yet.", true],
  "pool-quota": [
    429,
    "RESOURCE_EXHAUSTED",
    "The quota of every API key of the gateway for this model is used up.",
    true,
  ],
  "pool-billing": [
    503,
    "UNAVAILABLE",
    "No project behind the gateway has credit left for this request.",
    true,
  ],
  "pool-resting": [
    503,
    "UNAVAILABLE",
    "Every API key of the gateway that could serve this is resting after failures.",
    true,
  ],
  "pool-out-of-service": [503, "UNAVAILABLE", "No API key of the gateway is in service.", true],
  "pool-busy": [
    503,
    "UNAVAILABLE",
    "Every API key of the gateway serves as many requests as it may at once.",
    true,
  ],
  "pool-model-unavailable": [503, "UNAVAILABLE", "No API key of the gateway may use this model.", true],
  "unknown-page": [
    400,
    "INVALID_ARGUMENT",
    "The list cannot be continued from there: the page token is not one that this gateway gave for this list, or the item named is not known.",
    false,
  ],
  "owners-differ": [
    400,
    "FAILED_PRECONDITION",
    "The request names resources of several Google projects, and no API key can see them all.",
    false,
  ],
  "owner-gone": [
    404,
    "NOT_FOUND",
    "The gateway has no API key in use for the Google project that the named resource belongs to.",
    false,
  ],
  "upload-unknown": [
    404,
    "NOT_FOUND",
    "The gateway knows no such upload: it never began here, or its time is over.",
    false,
  ],
  "owner-quota": [
    429,
    "RESOURCE_EXHAUSTED",
    "The Google project that the named resource belongs to has used up its quota for this model.",
    true,
  ],
  "owner-billing": [
    503,
    "UNAVAILABLE",
    "The Google project that the named resource belongs to has no credit left.",
    true,
  ],
  "owner-resting": [
    503,
    "UNAVAILABLE",
    "The Google project that the named resource belongs to is resting after failures.",
    true,
  ],
  "owner-out-of-service": [
    503,
    "UNAVAILABLE",
    "No API key of the Google project that the named resource belongs to is in service.",
    true,
  ],
  "owner-busy": [
    503,
    "UNAVAILABLE",
    "The Google project that the named resource belongs to serves as many requests as it may at once.",
    true,
  ],
  "owner-model-unavailable": [
    503,
    "UNAVAILABLE",
    "The Google project that the named resource belongs to may not use this model.",
    true,
  ],
  "tried-quota": [
    429,
    "RESOURCE_EXHAUSTED",
    "Every API key that was tried for this request is out of quota for this model.",
    true,
  ],
  "tried-in-vain": [503, "UNAVAILABLE", "No API key that was tried for this request is in service.", true],
  "unsendable-request": [
    400,
    "INVALID_ARGUMENT",
    "The request has a path or a header that cannot be sent to the Gemini API.",
    false,
  ],
  "upstream-network": [503, "UNAVAILABLE", "The Gemini API could not be reached.", true],
  "upstream-timeout": [504, "DEADLINE_EXCEEDED", "The Gemini API did not answer in time.", true],
  "upstream-overloaded": [503, "UNAVAILABLE", "The Gemini API is overloaded or out of order.", true],
  "upstream-empty": [503, "UNAVAILABLE", "The Gemini API answered with nothing.", true],
  "upstream-broken": [503, "UNAVAILABLE", "The Gemini API broke off its answer.", true],
  "page-not-made": [503, "UNAVAILABLE", "The gateway could not tell about itself in time.", true],
  internal: [500, "INTERNAL", "The gateway failed on this request.", true],
} as const satisfies Record<string, readonly [number, string, string, boolean]>;

export type ErrorCode = keyof typeof TABLE;

/** What a code means to the client. */
export function errorAnswerOf(code: ErrorCode): ErrorAnswer {
  const [status, canonical, text, retryable] = TABLE[code];
  return { status, canonical, text, retryable };
}

/** Most resources that an error names, and characters of each name. */
const NAMED_MAX = 4;
const NAME_LENGTH_MAX = 120;

/** The same with the resources it is about, as their owner may read them: the text ends with their names. */
export function errorAnswerAbout(code: ErrorCode, resources: readonly string[]): ErrorAnswer {
  const answer = errorAnswerOf(code);
  if (resources.length === 0) return answer;
  const names = resources.slice(0, NAMED_MAX).map(shortened).join(", ");
  const more = resources.length > NAMED_MAX ? ` and ${resources.length - NAMED_MAX} more` : "";
  return { ...answer, text: `${answer.text} Named: ${names}${more}.` };
}

function shortened(name: string): string {
  return name.length <= NAME_LENGTH_MAX ? name : `${name.slice(0, NAME_LENGTH_MAX)}…`;
}
