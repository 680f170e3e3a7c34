/**
 * Takes in one request of a resumable upload: recognised by its URL, its bytes streamed into the session in constant
 * memory. Runs on the emulator's thread.
 */
import type { HttpRequest } from "./delivery.ts";
import { routeOf } from "./operations.ts";
import { breakAfterBytes, legOf, takesBytes } from "./upload-legs.ts";
import type { HeaderReader, UploadLeg } from "./upload-legs.ts";
import type { World } from "./world.ts";

/** Bytes of a leg that the log keeps. */
const LOGGED_HEAD_BYTES_MAX = 64 * 1024;

interface Head {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly header: HeaderReader;
}

/** The leg a request is; undefined for every other request. */
export function beginLeg(world: World, { method, path, query, header }: Head): UploadLeg | undefined {
  if (!query.has("upload_id") || method === "GET") return undefined;
  const route = routeOf(method, path, query);
  if (route?.operation !== "upload.leg") return undefined;
  const uploadId = query.get("upload_id") ?? "";
  const faults = world.faults.take({
    key: header("x-goog-api-key") ?? query.get("key") ?? "",
    project: world.resources.uploads.of(uploadId)?.owner ?? "",
    model: "",
    operation: route.operation,
    path,
    elapsedMs: world.now() - world.startedAtMs,
  });
  return legOf(world.resources.uploads, uploadId, header, faults);
}

interface Received {
  /** False when the client left or a fault broke the connection. */
  readonly isComplete: boolean;
  readonly bytes: number;
  /** The first {@link LOGGED_HEAD_BYTES_MAX}. */
  readonly head: Buffer;
}

/** Reads the body to its end. What a refused leg brings is read and thrown away, so that the client hears the answer. */
export async function receiveLeg(request: HttpRequest, leg: UploadLeg): Promise<Received> {
  const session = takesBytes(leg) ? leg.session : undefined;
  if (session !== undefined) session.isReceiving = true;
  try {
    return await readInto(request, leg, (chunk) => session?.intake.add(chunk));
  } finally {
    if (session !== undefined) session.isReceiving = false;
  }
}

function readInto(request: HttpRequest, leg: UploadLeg, take: (chunk: Buffer) => void): Promise<Received> {
  const breakAt = breakAfterBytes(leg) ?? Infinity;
  return new Promise((resolve) => {
    const head: Buffer[] = [];
    let headBytes = 0;
    let bytes = 0;
    const end = (isComplete: boolean): void => resolve({ isComplete, bytes, head: Buffer.concat(head) });
    request.on("data", (chunk: Buffer) => {
      if (bytes >= breakAt) return;
      const taken = chunk.subarray(0, breakAt - bytes);
      bytes += taken.length;
      take(taken);
      if (headBytes < LOGGED_HEAD_BYTES_MAX) {
        const kept = Buffer.from(taken.subarray(0, LOGGED_HEAD_BYTES_MAX - headBytes));
        head.push(kept);
        headBytes += kept.length;
      }
      if (bytes >= breakAt) breakConnection(request);
    });
    request.on("end", () => end(true));
    request.on("close", () => end(false));
    request.on("error", () => end(false));
  });
}

function breakConnection(request: HttpRequest): void {
  if ("stream" in request) request.stream.close();
  else request.socket.resetAndDestroy();
}
