/**
 * What is an error elsewhere is a close frame in a Live session: its code, and its message as the reason
 * (gemini-wire.md section 8). Pure. The reason is all that tells a spent quota from a broken server.
 */
import type { UpstreamError } from "../error-bodies.ts";

export interface LiveClose {
  readonly code: number;
  readonly reason: string;
}

/** 1007: the request or the key is wrong. 1008: not allowed, or no such thing. 1011: quota, billing, and our own faults. */
export function closeFor({ status, body }: UpstreamError): LiveClose {
  const reason = body.error.message;
  if (status === 400) return { code: 1007, reason };
  if (status === 401 || status === 403 || status === 404) return { code: 1008, reason };
  return { code: 1011, reason };
}

export const CLOSES = {
  invalidArgument: { code: 1007, reason: "Request contains an invalid argument." },
  sessionNotFound: { code: 1008, reason: "BidiGenerateContent session not found." },
  tokenSpent: { code: 1008, reason: "Token has expired or has been used too many times." },
  tooManySessions: {
    code: 1011,
    reason:
      "You exceeded your current quota, please check your plan and billing details. Too many concurrent sessions.",
  },
} as const satisfies Readonly<Record<string, LiveClose>>;
