/**
 * The life of one request after it was let in: body → lease → attempt → (next attempt …) → answer → settled.
 * Worker threads. It calls; core and gemini decide. Ends exactly once, whatever happens: see `#end`.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { Denial } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { ClientHeaders } from "@gemini-gateway/gemini/headers";
import type { BodyReading } from "@gemini-gateway/gemini/resources/body-reading";
import type { PublicBase } from "@gemini-gateway/gemini/resources/file-address";
import type { Route } from "@gemini-gateway/gemini/route";
import { readUsage, type Usage } from "@gemini-gateway/gemini/usage";
import type { Admission } from "./admission.ts";
import { RequestAffinity } from "./affinity/request-affinity.ts";
import { AnswerGate, type GateOwner, type LastPart } from "./answer-gate.ts";
import { Attempt, type AttemptListener } from "./attempt.ts";
import type { ClientCall, ClientWatcher } from "./client/client-call.ts";
import { ClientReply, type ReplyWords } from "./client-reply.ts";
import { extraHeadersOf } from "./extra-headers.ts";
import { finalAnswer, RETRY_AFTER_DEFAULT_MS } from "./final-answer.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import type { Refusal } from "./guard/refusal.ts";
import { KeySeeker, type KeyTaker } from "./key-seeker.ts";
import type { HeldUse, KnownOwner } from "./lease-seeker.ts";
import { withoutAliases } from "./model-aliases.ts";
import { RequestBody, type BodyOwner, type BodyRefusal } from "./request-body.ts";
import { RequestCourse } from "./request-course.ts";
import { modelToServe, readRequest } from "./request-reading.ts";
import { reasonOf, rowOfExchange, type RowOutcome } from "./request-record.ts";
import { RequestSize } from "./request-size.ts";
import type { Service } from "./service.ts";
import { withGatewaysAddresses } from "./transfers/addressed-reply.ts";
import { fileBasesOf, toGooglesUris } from "./transfers/file-uris.ts";
import { endOfStream } from "./stream-end.ts";
import { wholeBytesMax } from "./whole-answer.ts";

export class Exchange implements AttemptListener, GateOwner, KeyTaker, BodyOwner, ClientWatcher, ReplyWords {
  readonly #route: Route;
  readonly #admission: Admission;
  readonly #service: Service;
  readonly #call: ClientCall;
  readonly #reply: ClientReply;
  readonly #gate: AnswerGate;
  readonly #body: RequestBody;
  readonly #size: RequestSize;
  readonly #course: RequestCourse;
  readonly #affinity: RequestAffinity;
  readonly #seeker: KeySeeker;
  #attempt: Attempt | undefined;
  /** See {@link fileBasesOf}. */
  readonly #fileBases: readonly PublicBase[];
  #usage: Usage | undefined;
  #hasEnded = false;

  constructor(service: Service, call: ClientCall, admission: Admission) {
    this.#service = service;
    this.#call = call;
    this.#admission = admission;
    this.#route = admission.route;
    this.#body = new RequestBody(service.counters, service.config.limits, this);
    this.#size = new RequestSize(this.#body, service.gauge);
    this.#affinity = new RequestAffinity(
      service.affinity,
      admission.route,
      admission.caller.name,
      service.now,
    );
    this.#course = new RequestCourse(service, admission, this.#affinity, this.#size);
    this.#seeker = new KeySeeker(service, admission, this.#course, this.#affinity, this.#size, this);
    this.#fileBases = fileBasesOf(service, call);
    this.#reply = new ClientReply(call, admission.route, this, service.now);
    const way = withGatewaysAddresses(this.#reply, admission.route, this.#fileBases);
    this.#gate = new AnswerGate(way, this.#affinity, this);
  }

  /** Begins with the body. */
  begin(): void {
    this.#service.begun();
    this.#call.watch(this);
    this.#body.read(this.#call);
  }

  bodyRead(refusal?: BodyRefusal): void {
    if (this.#hasEnded) return;
    const retryAfterMs = refusal === "body-memory-full" ? RETRY_AFTER_DEFAULT_MS : undefined;
    if (refusal === undefined) this.#firstSeek();
    else this.#answerOwn(refusal, "refused", retryAfterMs);
  }

  // --- lease: a key that can serve this now --------------------------------------------------------------------------

  #firstSeek(): void {
    this.#service.retryBudget.deposit();
    const read = readRequest(this.#route, this.#body, this.#fileBases);
    const reading = withoutAliases(this.#service.aliases, this.#call.target, this.#body, read);
    toGooglesUris(this.#body, reading);
    // A model that the path names has been looked at before the body was.
    const refusal = this.#route.modelInBody ? this.#takeModel(reading) : undefined;
    if (refusal !== undefined) {
      this.#answerOwn(refusal.code, "refused", refusal.retryAfterMs);
      return;
    }
    const { affinity } = this.#service;
    const session = affinity.sessionOf(this.#call.rawHeaders, this.#admission.caller.name);
    this.#affinity.take(reading, this.#seeker.model, session);
    this.#seeker.seek();
  }

  /** Says why the caller may not ask the model that the body names. */
  #takeModel(reading: BodyReading | undefined): Refusal | undefined {
    const { caller } = this.#admission;
    this.#seeker.model = modelToServe(caller, reading, this.#body);
    return this.#service.guard.refuseModel(caller, this.#seeker.model, this.#seeker.lane);
  }

  leased(use: HeldUse): void {
    const { limits, timeouts } = this.#service.config;
    const peekBytesMax = wholeBytesMax(this.#route, limits.peekBytes);
    const attempt = new Attempt(use, this.#course, this, peekBytesMax);
    this.#attempt = attempt;
    attempt.begin(this.#service.upstream, {
      method: this.#call.method,
      path: this.#route.upstreamPath,
      rawHeaders: this.#service.affinity.withoutSession(this.#call.rawHeaders),
      credential: use.secret,
      body: this.#body.toSend(),
      bodyBytes: this.#body.bytesToSend,
      firstByteMs: timeouts.firstByteMs,
      idleMs: timeouts.idleMs,
    });
  }

  denied(denial: Denial, owner: KnownOwner | undefined): void {
    if (!this.#hasEnded) this.#giveLastWord(denial, owner?.resources);
  }

  // --- attempt: what came of it --------------------------------------------------------------------------------------

  begun(attempt: Attempt, rawHeaders: readonly string[], held: readonly Buffer[]): void {
    this.#body.release();
    this.#served(attempt);
    this.#gate.begin(attempt, rawHeaders, held);
  }

  more(attempt: Attempt, chunk: Buffer): boolean {
    return this.#gate.write(attempt, chunk);
  }

  clientDrained(): void {
    if (this.#gate.isOpen) this.#attempt?.resume();
  }

  whole(attempt: Attempt, answer: KeptAnswer): void {
    this.#served(attempt);
    this.#usage = readUsage(answer.body);
    this.#affinity.answered(attempt.use, answer);
    this.#conclude(attempt, { kind: "served" }, "served", answer);
  }

  ended(attempt: Attempt, failure: Outcome | undefined): void {
    const { dialect, tail } = attempt;
    if (failure === undefined) this.#affinity.ended(attempt.use, tail.bytes());
    if (dialect !== undefined) {
      this.#endStream(attempt, dialect, failure);
      return;
    }
    this.#usage = readUsage(tail.bytes());
    const outcome = failure ?? { kind: "served" };
    this.#conclude(attempt, outcome, outcome.kind, failure === undefined ? "" : undefined);
  }

  #endStream(attempt: Attempt, dialect: NonNullable<Attempt["dialect"]>, failure: Outcome | undefined): void {
    const { refersTo } = this.#course;
    const context = { route: this.#route, refersTo, nowMs: this.#service.now() };
    const end = endOfStream(attempt.tail.bytes(), dialect, failure, context);
    const { lastWords, outcome, logged, usage } = end;
    this.#usage = usage;
    this.#conclude(attempt, outcome, logged, lastWords);
  }

  /** The key has given what the client is to have. */
  #served({ use }: Attempt): void {
    this.#course.note(use, "served");
    this.#affinity.served(use);
  }

  failed(attempt: Attempt, outcome: Outcome, kept: KeptAnswer | undefined): void {
    this.#attempt = undefined;
    this.#service.desk.settle(attempt.use, outcome);
    if (this.#course.failed(attempt.use, { outcome, kept })) this.#seeker.seek();
    else this.#giveLastWord(undefined);
  }

  // --- answer: the last word when no attempt served ------------------------------------------------------------------

  #giveLastWord(denial: Denial | undefined, about: readonly string[] = []): void {
    const last = this.#affinity.isOwnDenial(denial) ? undefined : this.#course.last;
    const outcome: RowOutcome = last?.outcome.kind ?? "denied";
    const final = finalAnswer(last, denial, about, this.#service.now());
    if (final.kind === "own") {
      this.#answerOwn(final.code, outcome, final.retryAfterMs, final.about);
      return;
    }
    this.#reply.passOn(final.answer, final.retryAfterMs);
    this.#end(outcome, final.answer.status);
  }

  #answerOwn(
    code: ErrorCode,
    outcome: RowOutcome,
    retryAfterMs: number | undefined,
    about?: readonly string[],
  ): void {
    this.#course.reason ||= code;
    const status = this.#reply.own(code, retryAfterMs, outcome === "refused", about);
    this.#end(outcome, status);
  }

  get clientHeaders(): ClientHeaders {
    return this.#service.clientHeaders;
  }

  extraHeaders(): readonly string[] {
    return extraHeadersOf(this.#admission, this.#call.rawHeaders, this.#course.notes);
  }

  // --- settle: once, at the end --------------------------------------------------------------------------------------

  /** The attempt that served is over. The client has the end of it once what it told of is known everywhere. */
  #conclude({ use, status }: Attempt, outcome: Outcome, logged: RowOutcome, last: LastPart): void {
    this.#attempt = undefined;
    this.#course.reason = reasonOf(outcome);
    this.#service.desk.settle(use, outcome, this.#promptTokens());
    this.#gate.end(last, logged, status);
  }

  said(logged: RowOutcome, status: number): void {
    this.#end(logged, status);
  }

  /** Input tokens, if the answer told; the gauge learns from them where it was asked to guess. */
  #promptTokens(): number | undefined {
    const { promptTokens = 0 } = this.#usage ?? {};
    if (promptTokens === 0) return undefined;
    this.#size.measured(this.#seeker.model, promptTokens);
    return promptTokens;
  }

  /** Our own code failed on this attempt: the request ends all the same, and the key is not blamed. */
  faulted(attempt: Attempt): void {
    const isCurrent = attempt === this.#attempt;
    if (this.#hasEnded || (!isCurrent && (this.#seeker.isSeeking || this.#attempt !== undefined))) return;
    if (isCurrent) {
      this.#attempt = undefined;
      this.#service.desk.settle(attempt.use, { kind: "caller-left" });
    }
    if (this.#reply.hasBegun) {
      this.#reply.cut();
      this.#end("broken", attempt.status);
    } else {
      this.#answerOwn("internal", "broken", undefined);
    }
  }

  clientLeft(): void {
    if (this.#hasEnded) return;
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#seeker.cancel();
    if (attempt !== undefined) {
      attempt.abandon();
      // What was used until then is charged all the same.
      this.#usage ??= readUsage(attempt.tail.bytes());
      this.#service.desk.settle(attempt.use, { kind: "caller-left" }, this.#promptTokens());
      if (!this.#gate.hasBegun) this.#course.note(attempt.use, "caller-left");
    }
    this.#end("caller-left", 499);
  }

  #end(outcome: RowOutcome, status: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#gate.drop();
    this.#body.release();
    this.#service.guard.leave(this.#admission.caller, this.#usage?.totalTokens ?? 0);
    this.#service.ended(
      rowOfExchange(this.#admission, this.#course, {
        atMs: this.#service.now(),
        firstByteAtMs: this.#reply.firstByteAtMs,
        method: this.#call.method,
        model: this.#seeker.model,
        status,
        outcome,
        bytesIn: this.#body.bytes,
        bytesOut: this.#reply.bytes,
        usage: this.#usage,
      }),
    );
  }
}
