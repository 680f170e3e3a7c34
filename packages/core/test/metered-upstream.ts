/**
 * An upstream that meters its projects as Google does, for simulations: requests and input tokens a minute, requests a
 * day, each refusal naming what was used up. Written apart from the gateway's own counting, and simpler.
 */
import type { KeyId } from "../src/lease.ts";
import type { Outcome } from "../src/outcome.ts";
import type { QuotaFact, QuotaLimits, QuotaName } from "../src/quota/quota-limits.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface Metering {
  readonly limits: QuotaLimits;
  /** `clock`: minutes of the clock. `rolling`: the last sixty seconds. */
  readonly minute: "clock" | "rolling";
}

interface Charged {
  readonly atMs: number;
  readonly tokens: number;
}

export class MeteredUpstream {
  served = 0;
  refused = 0;
  servedTokens = 0;
  readonly #metering: Metering;
  readonly #minutes = new Map<KeyId, Charged[]>();
  readonly #days = new Map<KeyId, { day: number; requests: number }>();

  constructor(metering: Metering) {
    this.#metering = metering;
  }

  /** Every key is a project of its own. */
  call(project: KeyId, tokens: number, nowMs: number): Outcome {
    const minute = this.#minuteOf(project, nowMs);
    const day = this.#dayOf(project, nowMs);
    const used: Readonly<Record<QuotaName, number>> = {
      requestsPerMinute: minute.length + 1,
      tokensPerMinute: minute.reduce((sum, charged) => sum + charged.tokens, tokens),
      requestsPerDay: day.requests + 1,
    };
    const exceeded = (Object.keys(used) as QuotaName[]).flatMap((quota): QuotaFact[] => {
      const limit = this.#metering.limits[quota];
      return limit !== undefined && used[quota] > limit ? [{ quota, limit }] : [];
    });
    if (exceeded.length > 0) return this.#refuse(exceeded, nowMs);
    minute.push({ atMs: nowMs, tokens });
    day.requests++;
    this.served++;
    this.servedTokens += tokens;
    return { kind: "served" };
  }

  resetCounts(): void {
    this.served = 0;
    this.refused = 0;
    this.servedTokens = 0;
  }

  #refuse(quotas: readonly QuotaFact[], nowMs: number): Outcome {
    this.refused++;
    const evidence = { httpStatus: 429, reason: "quota", message: "", quotas };
    const retryAfterMs = MINUTE_MS - (nowMs % MINUTE_MS);
    if (!quotas.some(({ quota }) => quota === "requestsPerDay")) {
      return { kind: "quota-minute", retryAfterMs, evidence };
    }
    return { kind: "quota-day", untilMs: (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS, retryAfterMs, evidence };
  }

  #minuteOf(project: KeyId, nowMs: number): Charged[] {
    const isCounted = ({ atMs }: Charged): boolean =>
      this.#metering.minute === "rolling"
        ? atMs > nowMs - MINUTE_MS
        : Math.floor(atMs / MINUTE_MS) === Math.floor(nowMs / MINUTE_MS);
    const counted = (this.#minutes.get(project) ?? []).filter(isCounted);
    this.#minutes.set(project, counted);
    return counted;
  }

  #dayOf(project: KeyId, nowMs: number): { day: number; requests: number } {
    const day = Math.floor(nowMs / DAY_MS);
    const known = this.#days.get(project);
    if (known?.day === day) return known;
    const fresh = { day, requests: 0 };
    this.#days.set(project, fresh);
    return fresh;
  }
}
