/**
 * The life of one request after it was let in: body → lease → attempt → (next attempt …) → answer → settled.
 * Worker threads. It calls; core and gemini decide. Ends exactly once, whatever happens: see `#end`.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { Denial } from "@gemini-gateway/core/lease";
import type { Outcome, OutcomeKind } from "@gemini-gateway/core/outcome";
import { mayRetry } from "@gemini-gateway/core/retry-budget";
import {
  curable,
  drawsOnRatio,
  extendTrail,
  FRESH_TRAIL,
  type RetryMode,
  type Trail,
} from "@gemini-gateway/core/retry-policy";
import type { ClientHeaders } from "@gemini-gateway/gemini/headers";
import { modelPageOf, type ModelPage } from "@gemini-gateway/gemini/model-pages";
import { quotaLane } from "@gemini-gateway/gemini/quota-lane";
import { modelInBody, type Route } from "@gemini-gateway/gemini/route";
import { readUsage, type Usage } from "@gemini-gateway/gemini/usage";
import type { Admission } from "./admission.ts";
import { headerOf } from "../http1/header-list.ts";
import { Attempt, type AttemptListener } from "./attempt.ts";
import type { ClientCall, ClientWatcher } from "./client/client-call.ts";
import { ClientReply, type ReplyWords } from "./client-reply.ts";
import { finalAnswer, RETRY_AFTER_DEFAULT_MS, type LastFailure } from "./final-answer.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import type { HeldUse, LeaseSeeker } from "./lease-desk.ts";
import { withoutAliasesUnread } from "./model-aliases.ts";
import { MODEL_LIST_BYTES_MAX, pagedAnswer } from "./paged-answer.ts";
import { RequestBody, type BodyOwner, type BodyRefusal } from "./request-body.ts";
import { RequestSize } from "./request-size.ts";
import { attemptsHeader, reasonOf, rowOf, type AttemptNote, type RowOutcome } from "./request-record.ts";
import type { Service } from "./service.ts";
import { endOfStream } from "./stream-end.ts";

export class Exchange implements AttemptListener, LeaseSeeker, BodyOwner, ClientWatcher, ReplyWords {
  readonly route: Route;
  readonly #admission: Admission;
  readonly #service: Service;
  readonly #call: ClientCall;
  readonly #reply: ClientReply;
  readonly #body: RequestBody;
  readonly #size: RequestSize;
  /** Set when the request lists models: the list is fetched whole and cut here. */
  readonly #page: ModelPage | undefined;
  readonly #notes: AttemptNote[] = [];
  /** From the path; when it is in the body, "" until that is read. */
  #model: string;
  /** Why the last attempt failed. */
  #reason = "";
  #trail: Trail = FRESH_TRAIL;
  #attempt: Attempt | undefined;
  #isSeeking = false;
  #last: LastFailure | undefined;
  #tokenQuotaRefusals = 0;
  #usage: Usage | undefined;
  #hasEnded = false;

  constructor(service: Service, call: ClientCall, admission: Admission) {
    this.#service = service;
    this.#call = call;
    this.#admission = admission;
    this.route = admission.route;
    this.#model = admission.route.model ?? "";
    this.#page = modelPageOf(admission.route);
    this.#body = new RequestBody(service.counters, service.config.limits, this);
    this.#size = new RequestSize(this.#body, service.gauge);
    this.#reply = new ClientReply(call, admission.route, this, service.now);
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

  get lane(): string {
    return quotaLane(this.route, this.#model);
  }

  get trail(): Trail {
    return this.#trail;
  }

  get waitUntilMs(): number {
    return this.#admission.startedAtMs + this.#service.config.lease.maxWaitMs;
  }

  get requestTokensFloor(): number {
    return this.#size.floor;
  }

  get tokens(): number {
    return this.#size.guess(this.#model);
  }

  get tokenQuotaRefusals(): number {
    return this.#tokenQuotaRefusals;
  }

  now(): number {
    return this.#service.now();
  }

  // --- lease: a key that can serve this now --------------------------------------------------------------------------

  #firstSeek(): void {
    const { modelInBody: isInBody } = this.route;
    withoutAliasesUnread(this.#service.aliases, this.#call.target, this.#body);
    this.#service.retryBudget.deposit();
    if (isInBody) this.#model = modelInBody(this.#body.whole()).model ?? "";
    // A model that the path names has been looked at before the body was.
    const { caller } = this.#admission;
    const refusal = isInBody ? this.#service.guard.refuseModel(caller, this.#model, this.lane) : undefined;
    if (refusal === undefined) this.#seek();
    else this.#answerOwn(refusal.code, "refused", refusal.retryAfterMs);
  }

  #seek(): void {
    this.#isSeeking = true;
    this.#service.desk.seek(this);
  }

  leased(use: HeldUse): void {
    this.#isSeeking = false;
    const { limits, timeouts } = this.#service.config;
    const attempt = new Attempt(
      use,
      this,
      this.#page === undefined ? limits.peekBytes : MODEL_LIST_BYTES_MAX,
    );
    this.#attempt = attempt;
    attempt.begin(this.#service.upstream, {
      method: this.#call.method,
      path: this.#page?.upstreamPath ?? this.route.upstreamPath,
      rawHeaders: this.#call.rawHeaders,
      credential: use.secret,
      body: this.#body.toSend(),
      bodyBytes: this.#body.bytesToSend,
      firstByteMs: timeouts.firstByteMs,
      idleMs: timeouts.idleMs,
    });
  }

  denied(denial: Denial): void {
    this.#isSeeking = false;
    if (!this.#hasEnded) this.#giveLastWord(denial);
  }

  // --- attempt: what came of it --------------------------------------------------------------------------------------

  begun(attempt: Attempt, status: number, rawHeaders: readonly string[], held: readonly Buffer[]): void {
    this.#body.release();
    this.#note(attempt, "served");
    this.#reply.begin(status, rawHeaders, attempt.dialect !== undefined);
    for (const chunk of held) this.more(attempt, chunk);
    if (held.length === 0) this.#reply.flushHead();
  }

  more(attempt: Attempt, chunk: Buffer): boolean {
    const isTaken = this.#reply.write(chunk);
    if (!isTaken) attempt.pause();
    return isTaken;
  }

  clientDrained(): void {
    this.#attempt?.resume();
  }

  whole(attempt: Attempt, answer: KeptAnswer): void {
    this.#note(attempt, "served");
    this.#usage = readUsage(answer.body);
    this.#reply.whole(pagedAnswer(answer, this.#page));
    this.#conclude(attempt, { kind: "served" }, "served");
  }

  ended(attempt: Attempt, failure: Outcome | undefined): void {
    if (attempt.dialect !== undefined) {
      this.#endStream(attempt, attempt.dialect, failure);
      return;
    }
    this.#usage = readUsage(attempt.tail.bytes());
    if (failure === undefined) this.#reply.end();
    else this.#reply.cut();
    const outcome = failure ?? { kind: "served" };
    this.#conclude(attempt, outcome, outcome.kind);
  }

  #endStream(attempt: Attempt, dialect: NonNullable<Attempt["dialect"]>, failure: Outcome | undefined): void {
    const context = { route: this.route, nowMs: this.now() };
    const { lastWords, outcome, logged, usage } = endOfStream(
      attempt.tail.bytes(),
      dialect,
      failure,
      context,
    );
    this.#usage = usage;
    if (lastWords === undefined) this.#reply.cut();
    else this.#reply.end(lastWords);
    this.#conclude(attempt, outcome, logged);
  }

  failed(attempt: Attempt, outcome: Outcome, kept: KeptAnswer | undefined): void {
    this.#attempt = undefined;
    this.#service.desk.settle(attempt.use, outcome);
    this.#note(attempt, outcome.kind);
    const before = this.#trail;
    this.#trail = extendTrail(before, attempt.use.keyId, outcome.kind);
    this.#last = { outcome, kept };
    this.#reason = reasonOf(outcome);
    if (outcome.kind === "quota-minute" && outcome.evidence.quotaId?.includes("Token") === true) {
      this.#tokenQuotaRefusals += 1;
    }
    const { mode } = this.#service.config.retry;
    if (curable(outcome.kind, before, mode) && this.#mayRetry(outcome.kind, mode)) this.#seek();
    else this.#giveLastWord(undefined);
  }

  #mayRetry(kind: OutcomeKind, mode: RetryMode): boolean {
    const { attempts: attemptsMax, timeMs } = this.#service.config.retry;
    const { startedAtMs } = this.#admission;
    const { attempts: attempt } = this.#trail;
    if (!mayRetry({ attempt, attemptsMax, startedAtMs, nowMs: this.now(), timeMs })) return false;
    return !drawsOnRatio(kind, mode) || this.#service.retryBudget.tryWithdraw();
  }

  // --- answer: the last word when no attempt served ------------------------------------------------------------------

  #giveLastWord(denial: Denial | undefined): void {
    const outcome: RowOutcome = this.#last?.outcome.kind ?? "denied";
    const final = finalAnswer(this.#last, denial, this.now());
    if (final.kind === "own") {
      this.#answerOwn(final.code, outcome, final.retryAfterMs);
      return;
    }
    this.#reply.passOn(final.answer, final.retryAfterMs);
    this.#end(outcome, final.answer.status);
  }

  #answerOwn(code: ErrorCode, outcome: RowOutcome, retryAfterMs: number | undefined): void {
    this.#reason ||= code;
    const status = this.#reply.own(code, retryAfterMs, outcome === "refused");
    this.#end(outcome, status);
  }

  get clientHeaders(): ClientHeaders {
    return this.#service.clientHeaders;
  }

  extraHeaders(): readonly string[] {
    const { caller, extraHeaders } = this.#admission;
    if (!caller.authenticated || headerOf(this.#call.rawHeaders, "x-gateway-debug") === undefined)
      return extraHeaders;
    return [...extraHeaders, "x-gateway-attempts", attemptsHeader(this.#notes)];
  }

  // --- settle: once, at the end --------------------------------------------------------------------------------------

  #note(attempt: Attempt, outcome: AttemptNote["outcome"]): void {
    this.#notes.push({ keyId: attempt.use.keyId, fingerprint: attempt.use.fingerprint, outcome });
  }

  #conclude(attempt: Attempt, outcome: Outcome, logged: RowOutcome): void {
    this.#attempt = undefined;
    this.#reason = reasonOf(outcome);
    this.#service.desk.settle(attempt.use, outcome, this.#promptTokens());
    this.#end(logged, attempt.status);
  }

  /** Input tokens, if the answer told; the gauge learns from them where it was asked to guess. */
  #promptTokens(): number | undefined {
    const { promptTokens = 0 } = this.#usage ?? {};
    if (promptTokens === 0) return undefined;
    this.#size.measured(this.#model, promptTokens);
    return promptTokens;
  }

  /** Our own code failed on this attempt: the request ends all the same, and the key is not blamed. */
  faulted(attempt: Attempt): void {
    const isCurrent = attempt === this.#attempt;
    if (this.#hasEnded || (!isCurrent && (this.#isSeeking || this.#attempt !== undefined))) return;
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
    if (this.#isSeeking) this.#service.desk.cancel(this);
    if (attempt !== undefined) {
      attempt.abandon();
      // What was used until then is charged all the same.
      this.#usage ??= readUsage(attempt.tail.bytes());
      this.#service.desk.settle(attempt.use, { kind: "caller-left" }, this.#promptTokens());
      if (this.#reply.firstByteAtMs < 0) this.#note(attempt, "caller-left");
    }
    this.#end("caller-left", 499);
  }

  #end(outcome: RowOutcome, status: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#body.release();
    this.#service.guard.leave(this.#admission.caller, this.#usage?.totalTokens ?? 0);
    this.#service.ended(
      rowOf({
        atMs: this.now(),
        startedAtMs: this.#admission.startedAtMs,
        firstByteAtMs: this.#reply.firstByteAtMs,
        requestId: this.#admission.requestId,
        method: this.#call.method,
        path: this.route.upstreamPath,
        model: this.#model,
        status,
        outcome,
        reason: outcome === "served" ? "" : this.#reason,
        notes: this.#notes,
        bytesIn: this.#body.bytes,
        bytesOut: this.#reply.bytes,
        usage: this.#usage,
        client: this.#admission.caller.name,
        address: this.#admission.address,
      }),
    );
  }
}
