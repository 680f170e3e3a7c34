/**
 * Which key is to be tested on which model, and when. Fed by the primary thread with every test and every client's
 * request; it has no clock, draws no random number of its own, and judges no answer.
 *
 * Besides its models every key has one more column, {@link KEY_ITSELF}: while it is out of service, it is tested there
 * alone, and its models wait until it is back.
 */
import type { KeyId } from "../lease.ts";
import type { Outcome } from "../outcome.ts";
import { afterReturnMs, condemnsKey, nextTestMs, pulledForwardMs, waitKindOf } from "./intervals.ts";
import type { ProbeIntervals, WaitContext } from "./intervals.ts";
import { dueAtMs, PairTable, resultAt, setDue, setResult } from "./pair-table.ts";
import type { PairResult, Place } from "./pair-table.ts";

/** The column of the key itself; also the lane of requests that belong to no model. */
export const KEY_ITSELF = "*";

export interface PlanOptions {
  /** Models every key is tested on; the first is asked to generate when a key itself is in question. */
  readonly models: readonly string[];
  readonly intervals: ProbeIntervals;
}

/** A key on a model, or on {@link KEY_ITSELF}. */
export interface Pair {
  readonly keyId: KeyId;
  readonly model: string;
}

/** What is known and planned of a pair; also how it is stored. */
export interface PlannedPair extends Pair, PairResult {
  /** Moment of the next test, milliseconds since the epoch; infinite when none is planned. */
  readonly dueAtMs: number;
}

/** Pairs never tested are spread over this time: traffic may answer the question before a test does. */
export const FIRST_TEST_SPREAD_MS = 60_000;
/** A test whose end was never heard of is due again after this time. */
const UNHEARD_MS = 900_000;
/** Models learnt from traffic, beside the configured ones. */
export const LEARNT_MODELS_MAX = 8;
/** A success that would move the next test by less than this share of its wait is not worth writing down. */
const REFRESH_SHARE = 0.2;
const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export class TestPlan {
  readonly #options: PlanOptions;
  readonly #random: () => number;
  readonly #table = new PairTable();
  readonly #dirty = new Map<KeyId, Set<string>>();
  readonly #learnt = new Set<string>();

  /** @param random draws a number in [0, 1); spreads the tests. */
  constructor(options: PlanOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
    for (const name of [KEY_ITSELF, ...options.models]) this.#table.addColumn(name);
  }

  /** The models tested, configured ones first. */
  get models(): readonly string[] {
    return [...this.#options.models, ...this.#learnt];
  }

  get pairs(): number {
    return this.#table.size;
  }

  addKeys(ids: Iterable<KeyId>, nowMs: number): void {
    for (const id of ids) {
      if (!this.#table.addKey(id)) continue;
      for (const model of this.models) this.#delay({ keyId: id, model }, nowMs, FIRST_TEST_SPREAD_MS);
    }
  }

  removeKeys(ids: Iterable<KeyId>): void {
    for (const id of ids) {
      this.#table.removeKey(id);
      this.#dirty.delete(id);
    }
  }

  /** Takes over what an earlier run stored. What fell due meanwhile is spread; nothing is believed beyond the longest wait. */
  restore(pairs: Iterable<PlannedPair>, nowMs: number): void {
    const { forbiddenMs, servedMs } = this.#options.intervals;
    const latestMs = nowMs + Math.max(forbiddenMs, servedMs);
    for (const pair of pairs) {
      const place = this.#table.place(pair.keyId, pair.model);
      if (place === undefined) continue;
      setResult(place, { ...pair, atMs: Math.min(pair.atMs, nowMs) });
      if (pair.dueAtMs <= nowMs) this.#delay(pair, nowMs, FIRST_TEST_SPREAD_MS);
      else
        setDue(
          place,
          pair.dueAtMs === Number.POSITIVE_INFINITY ? pair.dueAtMs : Math.min(pair.dueAtMs, latestMs),
        );
    }
  }

  /** A client's request was served: as good as a test. Cheap: almost always it changes nothing. */
  served({ keyId, model }: Pair, nowMs: number): void {
    const place = this.#table.place(keyId, model) ?? this.#learn(keyId, model, nowMs);
    if (place === undefined || place.column.name === KEY_ITSELF) return;
    const { servedMs } = this.#options.intervals;
    const wasServed = resultAt(place).outcome === "served";
    const dueMs = dueAtMs(place);
    if (wasServed && dueMs - nowMs > servedMs * (1 - REFRESH_SHARE) && dueMs !== Number.POSITIVE_INFINITY)
      return;
    this.#record(place, { kind: "served" }, nowMs);
  }

  /** A client's request failed: what that says of the key or the model is tested soon. */
  failed({ keyId, model }: Pair, outcome: Outcome, nowMs: number): void {
    const isOfKey = condemnsKey(outcome.kind);
    const place = this.#table.place(keyId, isOfKey ? KEY_ITSELF : model);
    if (place === undefined) return;
    const kind = waitKindOf(outcome);
    const isOfModel = kind === "server-error" || outcome.kind === "model-unavailable";
    if (kind === "quota") this.#setDue(place, nextTestMs(outcome, 1, this.#context(nowMs)));
    else if (isOfKey || isOfModel) this.#pullForward(place, nowMs);
  }

  /** A test has ended. */
  tested({ keyId, model }: Pair, outcome: Outcome, nowMs: number): void {
    const place = this.#table.place(keyId, model);
    if (place === undefined) return;
    this.#record(place, outcome, nowMs);
    if (model === KEY_ITSELF) {
      if (outcome.kind === "served") this.wake(keyId, nowMs);
      return;
    }
    if (condemnsKey(outcome.kind)) this.#condemn(keyId, outcome, nowMs);
  }

  /**
   * Takes up to `max` pairs that are due, walking over at most `stepsMax`. Each is out until {@link tested},
   * {@link postpone} or {@link keep} says what became of it.
   */
  takeDue(nowMs: number, max: number, stepsMax: number): Pair[] {
    const taken: Pair[] = [];
    const steps = { left: stepsMax };
    while (taken.length < max) {
      const place = this.#table.nextDue(nowMs, steps);
      if (place === undefined) break;
      setDue(place, nowMs + UNHEARD_MS);
      taken.push({ keyId: place.keyId, model: place.column.name });
    }
    return taken;
  }

  /** Not now, but soon after what it waits for returns at `returnMs`; infinite for when something else calls for it. */
  postpone({ keyId, model }: Pair, returnMs: number, nowMs: number): void {
    const place = this.#table.place(keyId, model);
    if (place === undefined) return;
    setDue(place, Number.isFinite(returnMs) ? afterReturnMs(returnMs, this.#context(nowMs)) : returnMs);
  }

  /** The pair was taken and not asked after all: it stays due. */
  keep({ keyId, model }: Pair, nowMs: number): void {
    const place = this.#table.place(keyId, model);
    if (place !== undefined) setDue(place, nowMs);
  }

  /** The key is out of service: it is tested by itself, soon, unless that is planned already. */
  watch(keyId: KeyId, nowMs: number): void {
    const place = this.#table.place(keyId, KEY_ITSELF);
    if (place !== undefined && dueAtMs(place) === Number.POSITIVE_INFINITY) this.#pullForward(place, nowMs);
  }

  /** The key came back, by a test or by the operator's hand: its models are tested soon. */
  wake(keyId: KeyId, nowMs: number): void {
    for (const model of this.models) this.#delay({ keyId, model }, nowMs, FIRST_TEST_SPREAD_MS);
  }

  /** What is known and planned of a pair; undefined when it is none of the plan's. */
  pair(keyId: KeyId, model: string): PlannedPair | undefined {
    const place = this.#table.place(keyId, model);
    return place === undefined ? undefined : plannedAt(place, keyId);
  }

  /** When the next key that is out of service is tested; undefined when none is planned. For once a second. */
  nextKeyTestMs(): number | undefined {
    const atMs = this.#table.earliestDueMs(KEY_ITSELF);
    return Number.isFinite(atMs) ? atMs : undefined;
  }

  /** Pairs that changed since they were last taken, at most `max` and a few; learnt models are not kept. */
  takeDirty(max: number): PlannedPair[] {
    const taken: PlannedPair[] = [];
    for (const [keyId, models] of this.#dirty) {
      if (taken.length >= max) break;
      this.#dirty.delete(keyId);
      for (const model of models) {
        const pair = this.#learnt.has(model) ? undefined : this.pair(keyId, model);
        if (pair !== undefined) taken.push(pair);
      }
    }
    return taken;
  }

  #learn(keyId: KeyId, model: string, nowMs: number): Place | undefined {
    const isKnown = this.#learnt.has(model) || model === KEY_ITSELF;
    if (isKnown || this.#learnt.size >= LEARNT_MODELS_MAX || !MODEL_NAME.test(model)) return undefined;
    // No haste: clients are using it.
    const { servedMs } = this.#options.intervals;
    if (!this.#table.addColumn(model, () => nowMs + Math.ceil(servedMs * this.#random()))) return undefined;
    this.#learnt.add(model);
    return this.#table.place(keyId, model);
  }

  /**
   * A test of one model condemned the key. Tests of its other models, begun together with this one, say the same: only
   * the first counts, or one round of tests would double the wait for each model.
   */
  #condemn(keyId: KeyId, outcome: Outcome, nowMs: number): void {
    const itself = this.#table.place(keyId, KEY_ITSELF);
    if (itself === undefined) return;
    const isKnown = resultAt(itself).outcome === outcome.kind && dueAtMs(itself) > nowMs;
    if (!isKnown || dueAtMs(itself) === Number.POSITIVE_INFINITY) this.#record(itself, outcome, nowMs);
  }

  #record(place: Place, outcome: Outcome, nowMs: number): void {
    const before = resultAt(place);
    const repeats = before.outcome === outcome.kind ? before.repeats + 1 : 1;
    const httpStatus =
      "evidence" in outcome ? outcome.evidence.httpStatus : outcome.kind === "served" ? 200 : 0;
    setResult(place, { outcome: outcome.kind, httpStatus, repeats, atMs: nowMs });
    this.#setDue(place, nextTestMs(outcome, repeats, this.#context(nowMs)));
  }

  #pullForward(place: Place, nowMs: number): void {
    const atMs = pulledForwardMs(this.#context(nowMs));
    if (atMs < dueAtMs(place)) this.#setDue(place, atMs);
  }

  #setDue(place: Place, atMs: number): void {
    setDue(place, atMs);
    const { keyId } = place;
    const models = this.#dirty.get(keyId);
    if (models === undefined) this.#dirty.set(keyId, new Set([place.column.name]));
    else models.add(place.column.name);
  }

  #delay({ keyId, model }: Pair, nowMs: number, spreadMs: number): void {
    const place = this.#table.place(keyId, model);
    if (place !== undefined) setDue(place, nowMs + Math.ceil(spreadMs * this.#random()));
  }

  #context(nowMs: number): WaitContext {
    return { nowMs, intervals: this.#options.intervals, random: this.#random() };
  }
}

function plannedAt(place: Place, keyId: KeyId): PlannedPair {
  return { keyId, model: place.column.name, ...resultAt(place), dueAtMs: dueAtMs(place) };
}
