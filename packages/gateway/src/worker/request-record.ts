/** Words a finished request for the log and an attempt trail for whoever asked. Worker threads; pure. */
import type { Outcome, OutcomeKind } from "@gemini-gateway/core/outcome";
import type { Usage } from "@gemini-gateway/gemini/usage";
import type { RequestRow } from "../request-row.ts";
import type { Admission } from "./admission.ts";

export type RowOutcome = RequestRow["outcome"];

/** One attempt, as it is told to an authenticated caller who asks. */
export interface AttemptNote {
  readonly keyId: number;
  readonly fingerprint: string;
  readonly outcome: OutcomeKind;
}

const PATH_CHARACTERS_MAX = 512;
const REASON_CHARACTERS_MAX = 200;

/** `k-abc=quota-minute, k-def=served` */
export function attemptsHeader(notes: readonly AttemptNote[]): string {
  return notes.map(({ fingerprint, outcome }) => `${fingerprint}=${outcome}`).join(", ");
}

export interface FinishedRequest {
  readonly atMs: number;
  readonly startedAtMs: number;
  /** -1 when nothing was sent. */
  readonly firstByteAtMs: number;
  readonly requestId: string;
  readonly method: string;
  /** Without credentials; longer ones are cut. */
  readonly path: string;
  readonly model: string;
  readonly status: number;
  readonly outcome: RowOutcome;
  /** See {@link RequestRow.reason}; it is cut to a bound. */
  readonly reason: string;
  readonly notes: readonly AttemptNote[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly usage: Usage | undefined;
  readonly client: string;
  readonly address: string;
}

/** The word that says why an attempt ended so; empty when it needs none. */
export function reasonOf(outcome: Outcome): string {
  return "evidence" in outcome ? outcome.evidence.reason : "";
}

export function rowOf(finished: FinishedRequest): RequestRow {
  const { atMs, startedAtMs, firstByteAtMs, notes, usage } = finished;
  const last = notes.at(-1);
  // Field by field: a spread would cost more than all the rest of a row.
  return {
    atMs,
    requestId: finished.requestId,
    method: finished.method,
    path: bounded(finished.path, PATH_CHARACTERS_MAX),
    model: finished.model,
    status: finished.status,
    outcome: finished.outcome,
    reason: bounded(finished.reason, REASON_CHARACTERS_MAX),
    attempts: notes.length,
    firstByteMs: firstByteAtMs < 0 ? -1 : firstByteAtMs - startedAtMs,
    durationMs: atMs - startedAtMs,
    bytesIn: finished.bytesIn,
    bytesOut: finished.bytesOut,
    promptTokens: usage?.promptTokens ?? 0,
    outputTokens: usage?.outputTokens ?? 0,
    totalTokens: usage?.totalTokens ?? 0,
    keyId: last?.keyId ?? 0,
    fingerprint: last?.fingerprint ?? "",
    client: finished.client,
    address: finished.address,
  };
}

/** What only its end tells of a request that was let in. */
type ExchangeEnd = Pick<
  FinishedRequest,
  "atMs" | "firstByteAtMs" | "method" | "model" | "status" | "outcome" | "bytesIn" | "bytesOut" | "usage"
>;

/** The one row of a request that was let in. */
export function rowOfExchange(
  { route, caller, address, requestId, startedAtMs }: Admission,
  { notes, reason }: Pick<FinishedRequest, "notes" | "reason">,
  end: ExchangeEnd,
): RequestRow {
  return rowOf({
    atMs: end.atMs,
    startedAtMs,
    firstByteAtMs: end.firstByteAtMs,
    requestId,
    method: end.method,
    path: route.upstreamPath,
    model: end.model,
    status: end.status,
    outcome: end.outcome,
    reason: end.outcome === "served" ? "" : reason,
    notes,
    bytesIn: end.bytesIn,
    bytesOut: end.bytesOut,
    usage: end.usage,
    client: caller.name,
    address,
  });
}

/** Of a request or session turned away before anything was read or tried: what is told of all of them alike. */
export interface TurnedAway extends Pick<
  FinishedRequest,
  "atMs" | "startedAtMs" | "requestId" | "method" | "path" | "model" | "client" | "address"
> {
  /** The gateway's own answer; its code is the reason. */
  readonly answer: { readonly code: string; readonly status: number; readonly body: string };
}

export function rowOfTurnedAway({ answer, ...told }: TurnedAway): RequestRow {
  return rowOf({
    ...told,
    firstByteAtMs: told.atMs,
    status: answer.status,
    outcome: "refused",
    reason: answer.code,
    notes: [],
    bytesIn: 0,
    bytesOut: answer.body.length,
    usage: undefined,
  });
}

function bounded(text: string, charactersMax: number): string {
  return text.length > charactersMax ? text.slice(0, charactersMax) : text;
}
