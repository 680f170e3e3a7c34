/** Why a request over an open connection failed. HTTP workers. Carries a code and nothing else: see egress-error.ts. */
import type { AnswerFault } from "../http1/answer-fault.ts";

export type UpstreamErrorCode =
  /** No HTTP message can carry this request: its caller's fault. */
  | "UNSENDABLE"
  /** `timeouts.firstByte` passed. */
  | "FIRST_BYTE_TIMEOUT"
  /** `timeouts.idle` passed. */
  | "SILENCE_TIMEOUT"
  /** The server closed the connection before the answer was complete. */
  | "CONNECTION_CLOSED"
  /** We closed it: the way out has ended. */
  | "SHUT_DOWN"
  | AnswerFault;

export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode) {
    super(code);
    this.code = code;
  }
}
