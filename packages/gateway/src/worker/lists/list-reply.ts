/**
 * The client's side of a list that several projects are asked for: what it is told, and the one row at the end. Worker
 * threads. Whatever happens, the request ends once.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { ClientHeaders } from "@gemini-gateway/gemini/headers";
import type { Admission } from "../admission.ts";
import type { ClientCall } from "../client/client-call.ts";
import { ClientReply, type ReplyWords } from "../client-reply.ts";
import { extraHeadersOf } from "../extra-headers.ts";
import { finalAnswer } from "../final-answer.ts";
import { rowOf, type AttemptNote, type RowOutcome } from "../request-record.ts";
import type { Service } from "../service.ts";
import { fileBasesOf, withGatewaysUris } from "../transfers/file-uris.ts";
import { leftOutHeader, missToTell, type NamedMiss } from "./misses.ts";

const JSON_HEADERS = ["content-type", "application/json; charset=UTF-8"];
/** In the log, of a list that some projects are missing from. */
const LEFT_OUT_REASON = "projects-left-out";

export class ListReply implements ReplyWords {
  readonly notes: AttemptNote[] = [];
  readonly #service: Service;
  readonly #call: ClientCall;
  readonly #admission: Admission;
  readonly #reply: ClientReply;
  #misses: readonly NamedMiss[] = [];
  #hasEnded = false;

  constructor(service: Service, call: ClientCall, admission: Admission) {
    this.#service = service;
    this.#call = call;
    this.#admission = admission;
    this.#reply = new ClientReply(call, admission.route, this, service.now);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** @param misses projects that the list had to do without */
  list(body: Buffer, misses: readonly NamedMiss[]): void {
    if (this.#hasEnded) return;
    this.#misses = misses;
    const answer = { status: 200, rawHeaders: JSON_HEADERS, body };
    this.#reply.whole(withGatewaysUris(answer, fileBasesOf(this.#service, this.#call)));
    this.#end("served", 200, misses.length === 0 ? "" : LEFT_OUT_REASON);
  }

  /** No project answered. */
  lastWord(misses: readonly NamedMiss[]): void {
    if (this.#hasEnded) return;
    this.#misses = misses;
    const { last, denial } = missToTell(misses);
    const outcome: RowOutcome = last?.outcome.kind ?? "denied";
    const final = finalAnswer(last, denial, [], this.#service.now());
    if (final.kind === "own") {
      this.own(final.code, outcome, final.retryAfterMs);
      return;
    }
    this.#reply.passOn(final.answer, final.retryAfterMs);
    this.#end(outcome, final.answer.status, "");
  }

  /** One of the gateway's own errors. */
  own(code: ErrorCode, outcome: RowOutcome, retryAfterMs?: number): void {
    if (this.#hasEnded) return;
    const status = this.#reply.own(code, retryAfterMs, false);
    this.#end(outcome, status, code);
  }

  /** The client has left. */
  left(): void {
    this.#end("caller-left", 499, "");
  }

  get clientHeaders(): ClientHeaders {
    return this.#service.clientHeaders;
  }

  extraHeaders(): readonly string[] {
    const headers = extraHeadersOf(this.#admission, this.#call.rawHeaders, this.notes);
    return this.#misses.length === 0 ? headers : [...headers, ...leftOutHeader(this.#misses)];
  }

  #end(outcome: RowOutcome, status: number, reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { caller, startedAtMs, requestId, route, address } = this.#admission;
    this.#service.guard.leave(caller, 0);
    this.#service.ended(
      rowOf({
        atMs: this.#service.now(),
        startedAtMs,
        firstByteAtMs: this.#reply.firstByteAtMs,
        requestId,
        method: this.#call.method,
        path: route.upstreamPath,
        model: "",
        status,
        outcome,
        reason,
        notes: this.notes,
        bytesIn: 0,
        bytesOut: this.#reply.bytes,
        usage: undefined,
        client: caller.name,
        address,
      }),
    );
  }
}
