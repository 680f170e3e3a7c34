/**
 * Reads and checks what the command line sends. Primary thread; its bound holds for both sides.
 * Must never repeat the body in an error: it may hold keys.
 */
import type { IncomingMessage } from "node:http";
import { OperatorError } from "./operator-error.ts";
import { type AddKeysRequest, CONTROL_REQUEST_BYTES_MAX, type RemoveKeysRequest } from "./types.ts";

/** The body as JSON; at most {@link CONTROL_REQUEST_BYTES_MAX} bytes. Throws OperatorError `bad-request`. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  requireBounded(Number(request.headers["content-length"] ?? 0));
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    requireBounded(byteCount);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw bad("The command is not JSON.");
  }
}

/** Asked by both sides, since an upload cut off in the middle cannot hear the reason. */
export function requireBounded(byteCount: number): void {
  if (byteCount <= CONTROL_REQUEST_BYTES_MAX) return;
  throw bad(
    `The command is larger than ${CONTROL_REQUEST_BYTES_MAX} bytes: put a file into the folder of keys instead.`,
  );
}

export function readAddKeys(body: unknown): AddKeysRequest {
  const { text, project, file } = fieldsOf(body);
  if (typeof text !== "string" || !isTextOrAbsent(project) || !isTextOrAbsent(file)) {
    throw bad("The command to add keys has a text, and may have a project and a file.");
  }
  return { text, ...(project === undefined ? {} : { project }), ...(file === undefined ? {} : { file }) };
}

export function readRemoveKeys(body: unknown): RemoveKeysRequest {
  const { fingerprints } = fieldsOf(body);
  if (!Array.isArray(fingerprints) || !fingerprints.every((name) => typeof name === "string")) {
    throw bad("The command to remove keys has a list of fingerprints.");
  }
  return { fingerprints };
}

function fieldsOf(body: unknown): { [name in "text" | "project" | "file" | "fingerprints"]?: unknown } {
  return typeof body === "object" && body !== null ? body : {};
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function bad(message: string): OperatorError {
  return new OperatorError("bad-request", message);
}
