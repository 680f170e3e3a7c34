/**
 * One request that goes on with a resumable upload: judged when its headers are there, before the bytes come, so that
 * bytes stream into the session whatever their number. Runs on the emulator's thread.
 */
import { isSubstitute } from "./fault-rules.ts";
import type { ActiveFault } from "./fault-rules.ts";
import { CHUNK_GRANULARITY_BYTES } from "./resources/upload-sessions.ts";
import type { UploadSession, UploadSessions } from "./resources/upload-sessions.ts";

type Command = "upload" | "finalize" | "upload, finalize" | "query" | "cancel";

/** What a leg is, once its headers are known. */
export type LegVerdict =
  | { readonly kind: "goes-on"; readonly command: Command }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

export interface UploadLeg {
  /** Undefined when the id is unknown. */
  readonly session: UploadSession | undefined;
  readonly verdict: LegVerdict;
  /** Taken when the headers came: a break happens while the bytes do. */
  readonly faults: readonly ActiveFault[];
}

export type HeaderReader = (name: string) => string | undefined;

/** Judges a leg by its headers. */
export function legOf(
  uploads: UploadSessions,
  uploadId: string,
  header: HeaderReader,
  faults: readonly ActiveFault[],
): UploadLeg {
  const session = uploads.of(uploadId);
  return { session, verdict: verdictOf(session, header), faults };
}

function verdictOf(session: UploadSession | undefined, header: HeaderReader): LegVerdict {
  if (session === undefined) return { kind: "refused", status: 404, message: "Upload not found." };
  const command = commandOf(header("x-goog-upload-command"));
  if (command === undefined) return refused("Invalid upload command.");
  if (command === "query" || session.status === "final") return { kind: "goes-on", command };
  if (session.status === "cancelled") return refused("The upload was cancelled.");
  if (command === "cancel") return { kind: "goes-on", command };
  if (session.isReceiving) return refused("Another request is writing to this upload.");
  return chunkVerdict(session, command, header);
}

function chunkVerdict(session: UploadSession, command: Command, header: HeaderReader): LegVerdict {
  const { bytes } = session.intake;
  const offset = header("x-goog-upload-offset");
  if (command !== "finalize" && Number(offset) !== bytes) {
    return refused(`Upload offset ${offset ?? "missing"} does not match the ${bytes} bytes received.`);
  }
  const length = Number(header("content-length") ?? 0);
  if (command === "upload" && length % CHUNK_GRANULARITY_BYTES !== 0) {
    return refused(`Chunks other than the last must be multiples of ${CHUNK_GRANULARITY_BYTES} bytes.`);
  }
  if (session.declaredBytes !== undefined && bytes + length > session.declaredBytes) {
    return refused(`More bytes than the ${session.declaredBytes} declared.`);
  }
  return { kind: "goes-on", command };
}

function refused(message: string): LegVerdict {
  return { kind: "refused", status: 400, message };
}

function commandOf(text: string | undefined): Command | undefined {
  const words = (text ?? "").split(",").map((word) => word.trim().toLowerCase());
  const name = words.join(", ");
  return ["upload", "finalize", "upload, finalize", "query", "cancel"].find((known) => known === name) as
    | Command
    | undefined;
}

/** True when the leg's bytes belong to the file. A scripted error stands in for the whole leg: nothing of it counts. */
export function takesBytes({ session, verdict, faults }: UploadLeg): boolean {
  if (faults.some(({ fault }) => isSubstitute(fault))) return false;
  return session?.status === "active" && verdict.kind === "goes-on" && verdict.command.startsWith("upload");
}

/** After how many bytes of this request's body a fault breaks the connection; undefined when none does. */
export function breakAfterBytes({ faults }: UploadLeg): number | undefined {
  for (const { fault } of faults) if (fault.kind === "upload-break") return fault.afterBytes;
  return undefined;
}
