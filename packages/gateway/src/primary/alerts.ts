/**
 * Tells the operator in the log what only the operator can mend: a key that died, a project without credit, a location
 * that Google does not serve. Primary thread. It repeats nothing before {@link REPEAT_MS}, and logs fingerprints only.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Logger } from "pino";
import type { KeyRing } from "./key-ring.ts";

export interface AlertsOptions {
  readonly ring: Pick<KeyRing, "get">;
  readonly log: Pick<Logger, "warn" | "error">;
  readonly now: () => number;
}

/** The same thing is said again at most this often, milliseconds. */
const REPEAT_MS = 3_600_000;
/** Things remembered as said; beyond it the oldest may be said again. */
const SAID_MAX = 10_000;

export class Alerts {
  readonly #options: AlertsOptions;
  /** Moments by what was said, oldest first. */
  readonly #said = new Map<string, number>();

  constructor(options: AlertsOptions) {
    this.#options = options;
  }

  /** Hears of every use that ended; `keyId` is undefined when its key is gone. */
  heard(keyId: KeyId | undefined, outcome: Outcome): void {
    const { log } = this.#options;
    switch (outcome.kind) {
      case "key-dead":
      case "key-misconfigured":
        if (!this.#isNew(`${outcome.kind} ${keyId}`)) return;
        log.warn(
          this.#details(keyId, outcome),
          "a key is out of service; `gemini-gateway keys explain` says more",
        );
        return;
      case "billing":
        if (!this.#isNew(`billing ${keyId}`)) return;
        log.warn(
          this.#details(keyId, outcome),
          "a project has no credit left or has reached its spending cap",
        );
        return;
      case "location":
        if (!this.#isNew("location")) return;
        log.error(
          this.#details(undefined, outcome),
          "Google does not serve the location this gateway's requests come from; a proxy elsewhere may help (--proxy)",
        );
        return;
      case "served":
      case "caller-fault":
      case "caller-left":
      case "quota-minute":
      case "quota-day":
      case "model-unavailable":
      case "request-over-quota":
      case "foreign-resource":
      case "overloaded":
      case "empty":
      case "broken":
      case "network":
    }
  }

  #details(
    keyId: KeyId | undefined,
    outcome: Extract<Outcome, { evidence: unknown }>,
  ): Record<string, unknown> {
    const { httpStatus, reason, message } = outcome.evidence;
    const key = keyId === undefined ? undefined : this.#options.ring.get(keyId)?.fingerprint;
    return { ...(key !== undefined && { key }), outcome: outcome.kind, httpStatus, reason, message };
  }

  #isNew(what: string): boolean {
    const nowMs = this.#options.now();
    const saidAtMs = this.#said.get(what);
    if (saidAtMs !== undefined && nowMs - saidAtMs < REPEAT_MS) return false;
    this.#said.delete(what);
    this.#said.set(what, nowMs);
    const [oldest] = this.#said.keys();
    if (this.#said.size > SAID_MAX && oldest !== undefined) this.#said.delete(oldest);
    return true;
  }
}
