/**
 * One project's page of a list: a lease bound to that project, an attempt, and another with another of its keys when the
 * first failed in a way that may pass. Worker threads. Ends once: with `fetched` or `missed`, unless it was abandoned.
 */
import type { Denial, KeyId } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import {
  curable,
  drawsOnRatio,
  extendTrail,
  FRESH_TRAIL,
  type Trail,
} from "@gemini-gateway/core/retry-policy";
import type { Route } from "@gemini-gateway/gemini/route";
import { Attempt, type AttemptListener } from "../attempt.ts";
import type { AttemptSubject } from "../attempt-subject.ts";
import type { LastFailure } from "../final-answer.ts";
import type { KeptAnswer } from "../kept-answer.ts";
import type { HeldUse, LeaseSeeker } from "../lease-seeker.ts";
import type { AttemptNote } from "../request-record.ts";
import type { FetchService } from "./fetch-service.ts";
import { type Miss, noList } from "./misses.ts";

/** What the list wants to hear of its fetches. */
export interface FetchListener {
  noted(note: AttemptNote): void;
  fetched(fetch: ProjectFetch, keyId: KeyId, answer: KeptAnswer): void;
  missed(fetch: ProjectFetch, miss: Miss): void;
}

/** What is asked. */
export interface FetchOptions {
  readonly service: FetchService;
  readonly route: Route;
  /** Id of the project. */
  readonly project: string;
  /** A key of it. */
  readonly onlyProjectOf: KeyId;
  /** Path and query to be sent. */
  readonly path: string;
  /** The project's own token in it; "" for its first page. */
  readonly pageToken: string;
  readonly rawHeaders: readonly string[];
  readonly waitUntilMs: number;
}

/** Tries of one page. */
const ATTEMPTS_MAX = 2;
/** Bytes of one page: as much as an answer that owners are read from may have. */
const PAGE_BYTES_MAX = 4_194_304;
/** One project that does not answer must not hold up a list for longer, milliseconds. */
const FIRST_BYTE_MAX_MS = 15_000;
/** Requests that belong to no model. */
const LANE = "*";

export class ProjectFetch implements AttemptListener, AttemptSubject, LeaseSeeker {
  readonly route: Route;
  readonly lane = LANE;
  readonly tokens = 0;
  readonly isSigned = false;
  readonly requestTokensFloor = 0;
  readonly tokenQuotaRefusals = 0;
  readonly refersTo: readonly never[] = [];
  readonly onlyProjectOf: KeyId;
  readonly waitUntilMs: number;
  readonly project: string;
  readonly pageToken: string;
  readonly #options: FetchOptions;
  readonly #listener: FetchListener;
  trail: Trail = FRESH_TRAIL;
  #attempt: Attempt | undefined;
  #last: LastFailure | undefined;
  #isOver = false;

  constructor(options: FetchOptions, listener: FetchListener) {
    this.#options = options;
    this.#listener = listener;
    this.route = options.route;
    this.project = options.project;
    this.pageToken = options.pageToken;
    this.onlyProjectOf = options.onlyProjectOf;
    this.waitUntilMs = options.waitUntilMs;
  }

  begin(): void {
    this.#options.service.desk.seek(this);
  }

  /** Its page is not needed any more; nothing more is told. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.service.desk.cancel(this);
    this.#dropAttempt();
  }

  now(): number {
    return this.#options.service.now();
  }

  leased(use: HeldUse): void {
    const { service, path, rawHeaders } = this.#options;
    const { firstByteMs, idleMs } = service.config.timeouts;
    const attempt = new Attempt(use, this, this, PAGE_BYTES_MAX);
    this.#attempt = attempt;
    attempt.begin(service.upstream, {
      method: "GET",
      path,
      rawHeaders,
      credential: use.secret,
      body: [],
      bodyBytes: 0,
      firstByteMs: Math.min(firstByteMs, FIRST_BYTE_MAX_MS),
      idleMs: Math.min(idleMs, FIRST_BYTE_MAX_MS),
    });
  }

  denied(denial: Denial): void {
    this.#miss(denial);
  }

  /** Longer than any page, or a stream: no list. */
  begun(attempt: Attempt): void {
    attempt.abandon();
    this.failed(attempt, noList(attempt.status), undefined);
  }

  more(): boolean {
    return true;
  }

  ended(): void {}

  whole(attempt: Attempt, answer: KeptAnswer): void {
    this.#end(attempt, { kind: "served" });
    this.#isOver = true;
    this.#listener.fetched(this, attempt.use.keyId, answer);
  }

  failed(attempt: Attempt, outcome: Outcome, kept: KeptAnswer | undefined): void {
    this.#end(attempt, outcome);
    const before = this.trail;
    this.trail = extendTrail(before, attempt.use.keyId, outcome.kind);
    this.#last = { outcome, kept };
    const { retry } = this.#options.service.config;
    // Who waits for a list has waited long enough for a project that is silent.
    const isCurable = curable(outcome.kind, before, retry.mode) && !isTimeout(outcome);
    const attemptsMax = Math.min(ATTEMPTS_MAX, retry.attempts);
    if (isCurable && this.trail.attempts < attemptsMax && this.#mayDraw(outcome)) this.begin();
    else this.#miss(undefined);
  }

  faulted(): void {
    if (this.#isOver) return;
    this.#dropAttempt();
    this.#miss(undefined);
  }

  #mayDraw({ kind }: Outcome): boolean {
    const { config, retryBudget } = this.#options.service;
    return !drawsOnRatio(kind, config.retry.mode) || retryBudget.tryWithdraw();
  }

  #end({ use }: Attempt, outcome: Outcome): void {
    this.#attempt = undefined;
    this.#options.service.desk.settle(use, outcome);
    this.#listener.noted({ keyId: use.keyId, fingerprint: use.fingerprint, outcome: outcome.kind });
  }

  #dropAttempt(): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    attempt.abandon();
    this.#end(attempt, { kind: "caller-left" });
  }

  #miss(denial: Denial | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.missed(this, { last: this.#last, denial });
  }
}

function isTimeout(outcome: Outcome): boolean {
  return outcome.kind === "network" && outcome.evidence.reason === "timeout";
}
