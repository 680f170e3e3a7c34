/**
 * Guesses how many input tokens a request will take, before it is sent, from what requests of its model took before.
 * One per HTTP worker. Pure arithmetic. It guesses rather too much: tokens set aside in vain come back in seconds, a
 * quota overdrawn is a refusal.
 */

/** Models whose measure is remembered; the oldest gives way. */
const MODELS_MAX = 256;
/** Tokens a byte of JSON has until one was measured: a quarter for English prose, a third for most other text. */
const TOKENS_A_BYTE = 0.3;
/** Tokens of a request of unknown size (pictures, files) until one was measured. */
const TOKENS_UNKNOWN = 1_000;
/** A new measurement weighs one in so many. */
const MEMORY = 8;
/** Mean deviations added to the mean. */
const MARGIN = 2;

/** A running mean and its mean deviation. */
interface Measure {
  mean: number;
  deviation: number;
}

interface ModelMeasures {
  perByte: Measure | undefined;
  /** Of requests whose bytes do not tell their size. */
  whole: Measure | undefined;
}

export class TokenGauge {
  readonly #models = new Map<string, ModelMeasures>();

  /** @param bytes of the request's text; undefined when they do not tell its size. At least 1. */
  guess(model: string, bytes: number | undefined): number {
    const measures = this.#models.get(model);
    const tokens =
      bytes === undefined
        ? upper(measures?.whole, TOKENS_UNKNOWN)
        : bytes * upper(measures?.perByte, TOKENS_A_BYTE);
    return Math.max(1, Math.ceil(tokens));
  }

  /** Takes in what a request took. */
  measured(model: string, bytes: number | undefined, tokens: number): void {
    if (tokens <= 0) return;
    const measures = this.#measuresOf(model);
    if (bytes === undefined) measures.whole = after(measures.whole, tokens);
    else if (bytes > 0) measures.perByte = after(measures.perByte, tokens / bytes);
  }

  #measuresOf(model: string): ModelMeasures {
    const known = this.#models.get(model);
    if (known !== undefined) return known;
    if (this.#models.size >= MODELS_MAX) {
      const oldest = this.#models.keys().next();
      if (oldest.done !== true) this.#models.delete(oldest.value);
    }
    const measures: ModelMeasures = { perByte: undefined, whole: undefined };
    this.#models.set(model, measures);
    return measures;
  }
}

function upper(measure: Measure | undefined, unmeasured: number): number {
  return measure === undefined ? unmeasured : measure.mean + MARGIN * measure.deviation;
}

function after(measure: Measure | undefined, value: number): Measure {
  if (measure === undefined) return { mean: value, deviation: value / MEMORY };
  const { mean, deviation } = measure;
  return {
    mean: mean + (value - mean) / MEMORY,
    deviation: deviation + (Math.abs(value - mean) - deviation) / MEMORY,
  };
}
