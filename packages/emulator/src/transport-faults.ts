/** Faults of bytes and connection as changes of a reply: other frames, gates between them, other lengths. Pure. */
import { gzipSync } from "node:zlib";
import type { ErrorSubject } from "./error-bodies.ts";
import type { TransportFault } from "./fault-rules.ts";
import { lateErrorFrames } from "./framing.ts";
import { prettyJson } from "./json.ts";
import { namedError } from "./named-errors.ts";
import { errorReply, isUnary } from "./reply.ts";
import type { Gate, Reply } from "./reply.ts";

/** Before which frame the headers' gates stand. */
export const BEFORE_HEADERS = -1;
/** Bytes a lying content-length promises beyond the body. */
const MISSING_BYTES = 64;

/** The reply as the fault makes it; `ruleId` names the rule that a held call waits for. */
export function withTransportFault(
  reply: Reply,
  fault: TransportFault,
  ruleId: number,
  subject: ErrorSubject,
): Reply {
  switch (fault.kind) {
    case "empty-stream":
      return withFrames(reply, []);
    case "cut":
      return withFrames(reply, eventsUpTo(reply, fault.afterEvents));
    case "late-error-event":
      return withLateError(reply, fault, subject);
    case "raw-json-tail": {
      const tail = Buffer.from(prettyJson(namedError(fault.error ?? "high-demand", subject).body));
      return withFrames(reply, [...eventsUpTo(reply, fault.afterEvents ?? 1), tail]);
    }
    case "reset":
      return withReset(reply, fault);
    case "stall":
      return withGate(reply, {
        before: fault.afterEvents ?? BEFORE_HEADERS,
        action: { kind: "hold", ruleId },
      });
    case "slow-first-byte":
      return withGate(reply, {
        before: BEFORE_HEADERS,
        action:
          fault.delayMs === undefined ? { kind: "hold", ruleId } : { kind: "delay", delayMs: fault.delayMs },
      });
    case "bytewise":
      return { ...reply, splitBytes: Math.max(1, fault.bytes ?? 1) };
    case "gzip":
      return gzipped(reply);
    case "invalid-json":
      return withInvalidJson(reply);
    case "upload-break":
    case "live-close":
    case "live-go-away":
      // Obeyed while bytes come in, or in a Live session; an answer does not show them.
      return reply;
    case "truncated-length":
      return { ...reply, contentLength: totalBytes(reply) + MISSING_BYTES };
  }
}

function withGate(reply: Reply, gate: Gate): Reply {
  return { ...reply, gates: [...reply.gates, gate] };
}

/** The reply with other frames. Its length follows; a stream stays without one. */
function withFrames(reply: Reply, frames: readonly Buffer[]): Reply {
  const changed = {
    ...reply,
    frameCount: frames.length,
    eventCount: frames.length,
    frame: (index: number) => frames[index] ?? Buffer.alloc(0),
  };
  return reply.contentLength === undefined ? changed : { ...changed, contentLength: totalBytes(changed) };
}

function eventsUpTo(reply: Reply, count: number): readonly Buffer[] {
  const kept = Math.min(Math.max(0, count), reply.eventCount);
  return Array.from({ length: kept }, (_, index) => reply.frame(index));
}

function totalBytes(reply: Reply): number {
  let bytes = 0;
  for (let index = 0; index < reply.frameCount; index += 1) bytes += reply.frame(index).length;
  return bytes;
}

type LateError = Extract<TransportFault, { kind: "late-error-event" }>;

function withLateError(reply: Reply, fault: LateError, subject: ErrorSubject): Reply {
  const error = namedError(fault.error ?? "overloaded", subject);
  // A unary answer has no "late": what comes is the error itself.
  if (isUnary(reply.dialect)) return errorReply(error, reply.dialect);
  const events = eventsUpTo(reply, fault.afterEvents ?? 1);
  return withFrames(reply, [...events, ...lateErrorFrames(reply.dialect, error, events.length)]);
}

function withReset(reply: Reply, fault: Extract<TransportFault, { kind: "reset" }>): Reply {
  const { afterEvents } = fault;
  if (afterEvents === undefined)
    return withGate(reply, { before: BEFORE_HEADERS, action: { kind: "reset" } });
  const events = eventsUpTo(reply, afterEvents);
  const broken = fault.midEvent ? [halfOf(reply.frame(Math.min(afterEvents, reply.frameCount - 1)))] : [];
  const frames = [...events, ...broken];
  const cut = { ...withFrames(reply, frames), gates: reply.gates };
  const declared = reply.contentLength === undefined ? cut : { ...cut, contentLength: reply.contentLength };
  return withGate(declared, { before: frames.length, action: { kind: "reset" } });
}

function halfOf(frame: Buffer): Buffer {
  return frame.subarray(0, Math.ceil(frame.length / 2));
}

/** Each frame becomes a gzip member of its own: together a valid gzip stream, flushed event by event. */
export function gzipped(reply: Reply): Reply {
  const frame = (index: number): Buffer => gzipSync(reply.frame(index));
  const headers = { ...reply.headers, "content-encoding": "gzip" };
  const compressed = { ...reply, headers, frame };
  if (reply.contentLength === undefined) return compressed;
  const frames = Array.from({ length: reply.frameCount }, (_, index) => frame(index));
  return withFrames(compressed, frames);
}

function withInvalidJson(reply: Reply): Reply {
  const frames = Array.from({ length: reply.frameCount }, (_, index) => reply.frame(index));
  const [first = Buffer.alloc(0), ...rest] = frames;
  const end = reply.dialect === "sse" ? "\r\n\r\n" : isUnary(reply.dialect) ? "" : "\n\n";
  return withFrames(reply, [Buffer.concat([halfOf(first), Buffer.from(end)]), ...rest]);
}
