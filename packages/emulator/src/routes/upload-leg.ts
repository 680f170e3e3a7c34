/** The answers to what follows the start of a resumable upload: status and size in headers, the result at the end. */
import { upstreamError } from "../error-bodies.ts";
import { errorReply, jsonReply, wholeReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { CHUNK_GRANULARITY_BYTES } from "../resources/upload-sessions.ts";
import type { UploadSession } from "../resources/upload-sessions.ts";
import type { UploadLeg } from "../upload-legs.ts";
import type { RouteContext } from "./context.ts";
import { finishUpload } from "./upload-start.ts";

/** The answer to a leg of a known session; its bytes are in the session by now. */
export function answerLeg(context: RouteContext, session: UploadSession, leg: UploadLeg): Reply {
  const { verdict } = leg;
  if (verdict.kind === "refused") return refusedLeg(verdict.status, verdict.message, session);
  if (session.status === "final") return finalReply(session);
  switch (verdict.command) {
    case "query":
      return statusReply(session);
    case "cancel":
      session.status = "cancelled";
      session.intake.drop();
      return statusReply(session);
    case "upload":
      return statusReply(session);
    case "finalize":
    case "upload, finalize":
      return finalize(context, session);
  }
}

function finalize(context: RouteContext, session: UploadSession): Reply {
  const { declaredBytes, intake } = session;
  if (declaredBytes !== undefined && intake.bytes !== declaredBytes) {
    return refusedLeg(400, `${intake.bytes} bytes came of the ${declaredBytes} declared.`, session);
  }
  session.result = finishUpload(context, session).result;
  session.status = "final";
  return finalReply(session);
}

function finalReply(session: UploadSession): Reply {
  const reply = jsonReply(session.result);
  return { ...reply, headers: { ...reply.headers, ...headersOf(session) } };
}

function statusReply(session: UploadSession): Reply {
  const headers = { "content-type": "text/plain; charset=utf-8", ...headersOf(session) };
  return wholeReply(200, headers, Buffer.alloc(0));
}

/** A refused leg leaves the session as it is: the client asks how far it came and goes on. */
export function refusedLeg(status: number, message: string, session: UploadSession | undefined): Reply {
  const error = upstreamError(status, status === 404 ? "NOT_FOUND" : "INVALID_ARGUMENT", message);
  const reply = errorReply(error, "unary");
  return session === undefined ? reply : { ...reply, headers: { ...reply.headers, ...headersOf(session) } };
}

function headersOf({ status, intake, id }: UploadSession): Readonly<Record<string, string>> {
  return {
    "x-goog-upload-status": status,
    "x-goog-upload-size-received": String(intake.bytes),
    "x-goog-upload-chunk-granularity": String(CHUNK_GRANULARITY_BYTES),
    "x-guploader-uploadid": id,
  };
}
