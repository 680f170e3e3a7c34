/** What a measurement gives: rows of figures, and what the figures mean. Pure data that goes into JSON as it is. */
import { type Figure, figureOf } from "./statistics.ts";

/** One column: what was measured. */
export interface Metric {
  readonly id: string;
  readonly title: string;
  /** Of the values, as printed behind them: `µs`, `req/s`, `` for a bare number. */
  readonly unit: string;
  readonly better: "lower" | "higher" | "neither";
  /** Digits after the decimal point. */
  readonly digits: number;
}

/** One contender in one case, such as nginx with 500 streams. */
export interface Row {
  readonly contender: string;
  readonly case: string;
  /** By the id of the metric; what could not be measured is absent. */
  readonly figures: Readonly<Record<string, Figure>>;
}

export interface Measurement {
  readonly id: MeasurementId;
  readonly title: string;
  /** How it was measured, in a sentence or two. */
  readonly method: string;
  /** What the second column holds, if not contenders. */
  readonly subject?: string;
  readonly metrics: readonly Metric[];
  readonly rows: readonly Row[];
  /** What was skipped, bounded or worth a warning, a sentence each. */
  readonly notes: readonly string[];
}

/** What a run measures unless told otherwise. */
export const USUAL_IDS = ["unary", "streams", "latency", "pool-size", "storm", "bodies"] as const;
export const MEASUREMENT_IDS = [...USUAL_IDS, "soak", "profile"] as const;
export type MeasurementId = (typeof MEASUREMENT_IDS)[number];

/** Collects the values of the rounds, row by row, in the order in which rows are first heard of. */
export class Recorder {
  readonly #rows = new Map<string, { contender: string; case: string; values: Map<string, number[]> }>();

  /** Adds one round's value; one that could not be measured (undefined, NaN) is left out. */
  record(contender: string, caseName: string, values: Readonly<Record<string, number | undefined>>): void {
    const id = `${caseName}\n${contender}`;
    const row = this.#rows.get(id) ?? { contender, case: caseName, values: new Map<string, number[]>() };
    this.#rows.set(id, row);
    for (const [metric, value] of Object.entries(values)) {
      if (value === undefined || !Number.isFinite(value)) continue;
      const rounds = row.values.get(metric) ?? [];
      rounds.push(value);
      row.values.set(metric, rounds);
    }
  }

  rows(): Row[] {
    return [...this.#rows.values()].map(({ contender, case: caseName, values }) => ({
      contender,
      case: caseName,
      figures: Object.fromEntries([...values].map(([metric, rounds]) => [metric, figureOf(rounds)])),
    }));
  }
}

/** The figure of one row, if it was measured. */
export function figureIn(
  measurement: Measurement | undefined,
  where: { readonly contender: string; readonly case: string; readonly metric: string },
): Figure | undefined {
  return measurement?.rows.find((row) => row.contender === where.contender && row.case === where.case)
    ?.figures[where.metric];
}
