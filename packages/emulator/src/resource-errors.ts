/**
 * Google's answers about resources a caller may not see or use. Pure data. Files and caches are as recorded
 * (gemini-wire.md 1.3); what nobody recorded follows their pattern and is listed in the package's README.
 */
import { badRequest, upstreamError } from "./error-bodies.ts";
import type { UpstreamError } from "./error-bodies.ts";

/** `noun` as Google writes it: "File", "File Search Store". Foreign and missing ones are answered alike. */
export function mayNotAccess(noun: string, name: string): UpstreamError {
  const id = name.slice(name.lastIndexOf("/") + 1);
  const message = `You do not have permission to access the ${noun} ${id} or it may not exist.`;
  return upstreamError(403, "PERMISSION_DENIED", message);
}

export function cacheForbidden(): UpstreamError {
  return upstreamError(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)");
}

export function notFound(): UpstreamError {
  return upstreamError(404, "NOT_FOUND", "Requested entity was not found.");
}

export function fileNotActive(name: string): UpstreamError {
  const id = name.slice(name.lastIndexOf("/") + 1);
  const message = `The File ${id} is not in an ACTIVE state and usage is not allowed.`;
  return upstreamError(400, "FAILED_PRECONDITION", message);
}

export function unsupportedFileUri(uri: string): UpstreamError {
  return badRequest(`Unsupported file URI type: ${uri}. File URIs must be File API, YouTube or HTTPS.`);
}

export function cacheModelMismatch(asked: string, cached: string): UpstreamError {
  return badRequest(
    `Model used by GenerateContent request (models/${asked}) and CachedContent (${cached}) has to be the same.`,
  );
}

export function cacheTooSmall(tokens: number, tokensMin: number): UpstreamError {
  return badRequest(
    `Cached content is too small. total_token_count=${tokens}, min_total_token_count=${tokensMin}`,
  );
}

export function cacheWithInstructions(): UpstreamError {
  return badRequest(
    "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request.",
  );
}
