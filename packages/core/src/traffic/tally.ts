/** Counts over requests that ended: how many, how they ended, what they cost, how long they took. Pure. */
import { Histogram } from "./histogram.ts";

/** What is counted of a request at its end; rows of the request log have it all. */
export interface EndedRequest {
  /** "" when it named none. */
  readonly model: string;
  readonly outcome: string;
  /** Calls to the upstream. */
  readonly attempts: number;
  /** Milliseconds; negative when nothing was sent. */
  readonly firstByteMs: number;
  readonly durationMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Outcomes of a request that got a whole answer. */
const ANSWERED: ReadonlySet<string> = new Set(["served", "truncated"]);
/** Outcomes that are the caller's doing: whatever the gateway does, they stay. */
const CALLERS_OWN: ReadonlySet<string> = new Set([
  "caller-fault",
  "caller-left",
  "refused",
  "request-over-quota",
  "foreign-resource",
]);

export class Tally {
  requests = 0;
  attempts = 0;
  /** Attempts after the first of a request. */
  retries = 0;
  promptTokens = 0;
  outputTokens = 0;
  readonly byOutcome = new Map<string, number>();
  /** Of answered requests only: a refusal takes no time and would make them look fast. */
  readonly duration = new Histogram();
  readonly firstByte = new Histogram();

  record(request: EndedRequest): void {
    const { outcome, attempts } = request;
    this.requests += 1;
    this.attempts += attempts;
    this.retries += Math.max(0, attempts - 1);
    this.promptTokens += request.promptTokens;
    this.outputTokens += request.outputTokens;
    this.byOutcome.set(outcome, (this.byOutcome.get(outcome) ?? 0) + 1);
    if (!isAnswered(outcome)) return;
    this.duration.record(request.durationMs);
    if (request.firstByteMs >= 0) this.firstByte.record(request.firstByteMs);
  }

  add(other: Tally): void {
    this.requests += other.requests;
    this.attempts += other.attempts;
    this.retries += other.retries;
    this.promptTokens += other.promptTokens;
    this.outputTokens += other.outputTokens;
    for (const [outcome, count] of other.byOutcome) {
      this.byOutcome.set(outcome, (this.byOutcome.get(outcome) ?? 0) + count);
    }
    this.duration.add(other.duration);
    this.firstByte.add(other.firstByte);
  }

  /** Share, 0 to 1, of `served` among the requests that were not spoilt or left by their caller; undefined for none. */
  get successRate(): number | undefined {
    let judged = 0;
    for (const [outcome, count] of this.byOutcome) if (!CALLERS_OWN.has(outcome)) judged += count;
    return judged === 0 ? undefined : (this.byOutcome.get("served") ?? 0) / judged;
  }
}

/** Whether a request with this outcome got a whole answer, so that its times say how fast the gateway is. */
export function isAnswered(outcome: string): boolean {
  return ANSWERED.has(outcome);
}
