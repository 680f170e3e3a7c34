/**
 * Google's error bodies that tell nothing of a key or a quota: bad requests, missing things, overload. Pure data.
 * Wordings are those recorded from the real API (gemini-wire.md 3.1); key and quota errors have files of their own.
 */

/** An error answer before it is put in the dialect of a route. */
export interface UpstreamError {
  readonly status: number;
  readonly body: { readonly error: ErrorPayload };
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ErrorPayload {
  readonly code: number;
  readonly message: string;
  readonly status: string;
  readonly details?: readonly object[];
}

/** Whom and what an error speaks of. */
export interface ErrorSubject {
  readonly key: string;
  /** Google's project number, digits only. */
  readonly projectNumber: string;
  /** The model that was asked for, without `models/`. */
  readonly model: string;
  /** The model whose quota is charged. */
  readonly resolvedModel: string;
  /** `v1`, `v1beta` or `v1alpha`. */
  readonly version: string;
  /** The method of the service, e.g. `GenerateContent`. */
  readonly method: string;
  /** The method as a model list names it, e.g. `generateContent`. */
  readonly operation: string;
}

/** Thrown by checks of a request; carries the answer. The only error class of this package that reaches a client. */
export class Refusal extends Error {
  readonly answer: UpstreamError;
  constructor(answer: UpstreamError) {
    super(answer.body.error.message);
    this.name = "Refusal";
    this.answer = answer;
  }
}

export function upstreamError(
  status: number,
  code: string,
  message: string,
  details?: readonly object[],
): UpstreamError {
  const payload = { code: status, message, status: code };
  return { status, body: { error: details === undefined ? payload : { ...payload, details } } };
}

export const TYPE_PREFIX = "type.googleapis.com/google.rpc.";
export const SERVICE = "generativelanguage.googleapis.com";

export function badRequest(message: string): UpstreamError {
  return upstreamError(400, "INVALID_ARGUMENT", message);
}

/** The form of protobuf JSON errors: the message again as a violation of a field. */
export function badField(field: string, description: string): UpstreamError {
  const violation = field === "" ? { description } : { field, description };
  const details = [{ "@type": `${TYPE_PREFIX}BadRequest`, fieldViolations: [violation] }];
  return upstreamError(400, "INVALID_ARGUMENT", description, details);
}

export function tooManyTokens(limit: number): UpstreamError {
  return badRequest(`The input token count exceeds the maximum number of tokens allowed ${limit}.`);
}

export function payloadTooLarge(bytesMax: number): UpstreamError {
  return badRequest(`Request payload size exceeds the limit: ${bytesMax} bytes.`);
}

export function modelNotFound(subject: ErrorSubject): UpstreamError {
  const { model, version, operation } = subject;
  const advice = "Call ListModels to see the list of available models and their supported methods.";
  const message = `models/${model} is not found for API version ${version}, or is not supported for ${operation}. ${advice}`;
  return upstreamError(404, "NOT_FOUND", message);
}

/** The errors of this file by name; a script may ask for any of them. */
export const REQUEST_ERRORS = {
  "empty-contents": () => badRequest("* GenerateContentRequest.contents: contents is not specified\n"),
  "invalid-argument": () => badRequest("Request contains an invalid argument."),
  "too-many-tokens": () => tooManyTokens(1_048_576),
  "payload-too-large": () => payloadTooLarge(20_971_520),
  "model-not-found": modelNotFound,
  "model-retired": (subject: ErrorSubject) =>
    upstreamError(
      404,
      "NOT_FOUND",
      `This model models/${subject.model} is no longer available to new users. Please update your code to use a newer model for the latest features and improvements.`,
    ),
  "model-forbidden": () => upstreamError(403, "PERMISSION_DENIED", "The caller does not have permission"),
  "file-forbidden": () =>
    upstreamError(
      403,
      "PERMISSION_DENIED",
      "You do not have permission to access the File abc123 or it may not exist.",
    ),
  "cache-forbidden": () =>
    upstreamError(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)"),
  location: () =>
    upstreamError(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
  cancelled: () => upstreamError(499, "CANCELLED", "The operation was cancelled."),
  internal: () =>
    upstreamError(
      500,
      "INTERNAL",
      "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
    ),
  "internal-encountered": () => upstreamError(500, "INTERNAL", "Internal error encountered."),
  overloaded: () => upstreamError(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
  "high-demand": () =>
    upstreamError(
      503,
      "UNAVAILABLE",
      "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.",
    ),
  deadline: () =>
    upstreamError(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
} as const;
