/**
 * The life of one upload or download: body → lease → attempt → (next attempt, next hop …) → answer → settled. Worker
 * threads. Like an exchange, but what may have gigabytes is never kept: such a body passes as it comes, and has one try.
 * It calls; core and gemini decide. Ends exactly once, whatever happens: see `#end`.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { Denial, KeyId } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Trail } from "@gemini-gateway/core/retry-policy";
import type { ClientHeaders } from "@gemini-gateway/gemini/headers";
import { quotaLane } from "@gemini-gateway/gemini/quota-lane";
import { ANSWER_BYTES_MAX } from "@gemini-gateway/gemini/resources/answer-resources";
import type { Transfer as TransferKind } from "@gemini-gateway/gemini/transfer";
import { Attempt, type AttemptListener } from "../attempt.ts";
import type { BodyFault, ClientCall, ClientWatcher } from "../client/client-call.ts";
import { ClientReply, type ReplyWords } from "../client-reply.ts";
import { extraHeadersOf } from "../extra-headers.ts";
import { finalAnswer, RETRY_AFTER_DEFAULT_MS } from "../final-answer.ts";
import type { KeptAnswer } from "../kept-answer.ts";
import type { HeldUse, KnownOwner, LeaseSeeker } from "../lease-seeker.ts";
import type { BodyRefusal } from "../request-body.ts";
import { RequestCourse } from "../request-course.ts";
import { reasonOf, type RowOutcome } from "../request-record.ts";
import type { Service } from "../service.ts";
import { publicBaseFor } from "./public-base.ts";
import { readTransferAnswer } from "./transfer-answer.ts";
import type { TransferAdmission } from "./transfer-admission.ts";
import { TransferBody, type TransferBodyOwner } from "./transfer-body.ts";
import { TransferTies } from "./transfer-ties.ts";
import { transferRow } from "./transfer-row.ts";
import { TransferWay } from "./transfer-way.ts";
import type { Destination } from "./upstream-origins.ts";

const WAYS_OF_BODY = { upload: "whole-if-it-fits", "upload-leg": "as-it-comes", download: "none" } as const;

export class Transfer implements AttemptListener, LeaseSeeker, TransferBodyOwner, ClientWatcher, ReplyWords {
  readonly tokens = 0;
  readonly lane: string;
  readonly resources: readonly string[];
  readonly isKnownOnly: boolean;
  readonly preference: KeyId | undefined;
  readonly #service: Service;
  readonly #call: ClientCall;
  readonly #admission: TransferAdmission;
  readonly #kind: TransferKind["kind"];
  readonly #body: TransferBody;
  readonly #way: TransferWay;
  readonly #reply: ClientReply;
  readonly #ties: TransferTies;
  readonly #course: RequestCourse;
  #isSeeking = false;
  #attempt: Attempt | undefined;
  #hasEnded = false;

  constructor(service: Service, call: ClientCall, admission: TransferAdmission) {
    const { route, transfer } = admission;
    const { counters, config, origins, upstream } = service;
    this.#service = service;
    this.#call = call;
    this.#admission = admission;
    this.#kind = transfer.kind;
    this.#way = new TransferWay(origins, upstream);
    this.#body = new TransferBody(call, this, {
      counters,
      limits: config.limits,
      way: WAYS_OF_BODY[transfer.kind],
    });
    this.#ties = new TransferTies(service.affinity, admission, call.rawHeaders);
    this.preference = this.#ties.preference;
    this.#course = new RequestCourse(service, admission, this.#ties, this.#ties);
    this.lane = quotaLane(route, "");
    this.isKnownOnly = transfer.kind === "upload-leg";
    this.resources = this.#ties.names;
    this.#reply = new ClientReply(call, route, this, service.now);
  }

  /** Begins with the body, if it is to be kept. */
  begin(): void {
    this.#service.begun();
    this.#call.watch(this);
    this.#body.begin();
  }

  bodyReady(refusal?: BodyRefusal): void {
    if (this.#hasEnded) return;
    if (refusal === undefined) {
      this.#service.retryBudget.deposit();
      this.#seek();
      return;
    }
    const retryAfterMs = refusal === "body-memory-full" ? RETRY_AFTER_DEFAULT_MS : undefined;
    this.#answerOwn(refusal, "refused", retryAfterMs);
  }

  bodyBroken(fault: BodyFault): void {
    if (this.#hasEnded) return;
    this.#abandon();
    this.#answerOwn(fault, "refused");
  }

  get trail(): Trail {
    return this.#course.trail;
  }

  get waitUntilMs(): number {
    return this.#admission.startedAtMs + this.#service.config.lease.maxWaitMs;
  }

  now(): number {
    return this.#service.now();
  }

  // --- lease: a key that can serve this now --------------------------------------------------------------------------

  #seek(): void {
    this.#isSeeking = true;
    this.#service.desk.seek(this);
  }

  leased(use: HeldUse): void {
    this.#isSeeking = false;
    const isLeg = this.#kind === "upload-leg";
    const destination = isLeg ? this.#way.goOnAt(use) : this.#way.begin(this.#admission.route.upstreamPath);
    if (destination !== undefined) {
      this.#send(use, destination);
      return;
    }
    this.#service.desk.settle(use, { kind: "caller-left" });
    this.#answerOwn("upload-unknown", "refused");
  }

  #send(use: HeldUse, { upstream, path }: Destination): void {
    const { timeouts } = this.#service.config;
    const attempt = new Attempt(use, this.#course, this, this.#kind === "download" ? 0 : ANSWER_BYTES_MAX);
    this.#attempt = attempt;
    attempt.begin(upstream, {
      method: this.#call.method,
      path,
      rawHeaders: this.#service.affinity.withoutSession(this.#call.rawHeaders),
      credential: this.#way.credentialFor(use),
      ...this.#body.toSend(),
      firstByteMs: timeouts.firstByteMs,
      idleMs: timeouts.idleMs,
    });
  }

  denied(denial: Denial, owner?: KnownOwner): void {
    this.#isSeeking = false;
    if (this.#hasEnded) return;
    if (this.isKnownOnly && owner?.isKnown === false) {
      // Whoever tries upload ids is limited like any other.
      const refusal = this.#admission.countWrongId();
      this.#answerOwn(refusal?.code ?? "upload-unknown", "refused", refusal?.retryAfterMs);
    } else {
      this.#giveLastWord(denial, owner?.resources);
    }
  }

  // --- attempt: what came of it --------------------------------------------------------------------------------------

  begun(attempt: Attempt, rawHeaders: readonly string[], held: readonly Buffer[]): void {
    this.#course.note(attempt.use, "served");
    this.#ties.served(attempt.use);
    const found = this.#ties.foundWith(attempt.use, this.now());
    if (found.length > 0) this.#service.affinity.resources.learn(found, () => {});
    this.#body.leave();
    this.#reply.begin(attempt.status, rawHeaders, attempt.dialect !== undefined);
    for (const chunk of held) this.more(attempt, chunk);
  }

  more(attempt: Attempt, chunk: Buffer): boolean {
    const isTaken = this.#reply.write(chunk);
    if (!isTaken) attempt.pause();
    return isTaken;
  }

  clientDrained(): void {
    this.#attempt?.resume();
  }

  whole(attempt: Attempt, kept: KeptAnswer): void {
    const { config, guard, affinity } = this.#service;
    this.#attempt = undefined;
    this.#course.note(attempt.use, "served");
    this.#settle(attempt.use, { kind: "served" });
    this.#ties.served(attempt.use);
    const { answer, entries } = readTransferAnswer(kept, {
      below: this.#admission.route.below,
      keyId: attempt.use.keyId,
      nowMs: this.now(),
      base: publicBaseFor(this.#call, config, guard),
      askedOrigin: this.#way.origin,
      fileUris: config.fileUris,
    });
    const all = [...entries, ...this.#ties.foundWith(attempt.use, this.now())];
    const send = (): void => this.#sendWhole(attempt, answer);
    // Any worker may get the client's next request: it must know by then.
    if (all.length === 0) send();
    else affinity.resources.learn(all, send);
  }

  #sendWhole(attempt: Attempt, answer: KeptAnswer): void {
    if (this.#hasEnded) return;
    try {
      this.#body.leave();
      this.#reply.whole(answer);
      this.#end("served", answer.status);
    } catch {
      this.faulted(attempt);
    }
  }

  ended(attempt: Attempt, failure: Outcome | undefined): void {
    if (failure === undefined) this.#reply.end();
    else this.#reply.cut();
    const outcome = failure ?? { kind: "served" };
    this.#attempt = undefined;
    this.#course.reason = reasonOf(outcome);
    this.#settle(attempt.use, outcome);
    this.#end(outcome.kind, attempt.status);
  }

  failed(attempt: Attempt, outcome: Outcome, kept: KeptAnswer | undefined): void {
    this.#attempt = undefined;
    const onwards = this.#kind === "download" ? this.#way.follow(kept) : undefined;
    if (onwards !== undefined) {
      this.#send(attempt.use, onwards);
      return;
    }
    this.#settle(attempt.use, outcome);
    const seen = this.#way.ofRequest(outcome, kept);
    const goesOn = this.#course.failed(attempt.use, seen);
    if (goesOn && this.#mayGoOn) this.#seek();
    else this.#giveLastWord(undefined);
  }

  /** Nothing was sent that cannot be sent again, and where it goes another key can make a difference. */
  get #mayGoOn(): boolean {
    return this.#body.isReplayable && (this.#kind === "upload-leg" || this.#way.isAtUpstream);
  }

  #settle(use: HeldUse, outcome: Outcome): void {
    this.#service.desk.settle(use, this.#way.ofKey(outcome));
  }

  // --- answer: the last word when no attempt served ------------------------------------------------------------------

  #giveLastWord(denial: Denial | undefined, about: readonly string[] = []): void {
    const { last } = this.#course;
    const outcome: RowOutcome = last?.outcome.kind ?? "denied";
    const final = finalAnswer(last, denial, about, this.now());
    if (final.kind === "own") {
      this.#answerOwn(final.code, outcome, final.retryAfterMs, final.about);
      return;
    }
    this.#body.leave();
    this.#reply.passOn(final.answer, final.retryAfterMs);
    this.#end(outcome, final.answer.status);
  }

  #answerOwn(
    code: ErrorCode,
    outcome: RowOutcome,
    retryAfterMs?: number,
    about: readonly string[] = [],
  ): void {
    this.#course.reason ||= code;
    const isUnread = outcome === "refused" || this.#body.isUnread;
    const status = this.#reply.own(code, retryAfterMs, isUnread, about);
    this.#end(outcome, status);
  }

  get clientHeaders(): ClientHeaders {
    return this.#service.clientHeaders;
  }

  extraHeaders(): readonly string[] {
    return extraHeadersOf(this.#admission, this.#call.rawHeaders, this.#course.notes);
  }

  // --- settle: once, at the end --------------------------------------------------------------------------------------

  /** Our own code failed on this attempt: the request ends all the same, and the key is not blamed. */
  faulted(attempt: Attempt): void {
    if (this.#hasEnded) return;
    if (attempt === this.#attempt) this.#abandon();
    if (this.#reply.hasBegun) {
      this.#reply.cut();
      this.#end("broken", attempt.status);
    } else {
      this.#answerOwn("internal", "broken");
    }
  }

  clientLeft(): void {
    if (this.#hasEnded) return;
    this.#abandon();
    this.#end("caller-left", 499);
  }

  /** Breaks off whatever is under way for a reason that is not the key's. */
  #abandon(): void {
    if (this.#isSeeking) this.#service.desk.cancel(this);
    this.#isSeeking = false;
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#attempt = undefined;
    attempt.abandon();
    this.#service.desk.settle(attempt.use, { kind: "caller-left" });
    if (this.#reply.firstByteAtMs < 0) this.#course.note(attempt.use, "caller-left");
  }

  #end(outcome: RowOutcome, status: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#body.release();
    this.#service.guard.leave(this.#admission.caller, 0);
    this.#service.ended(
      transferRow({
        admission: this.#admission,
        method: this.#call.method,
        atMs: this.now(),
        outcome,
        status,
        course: this.#course,
        bytesIn: this.#body.bytes,
        reply: this.#reply,
      }),
    );
  }
}
