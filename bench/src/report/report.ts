/** All that a run of the bench found: what goes into JSON, and from which tables, plots and verdicts are made. Pure data. */
import type { Machine } from "../machine.ts";
import type { Plan } from "../plan.ts";
import type { Measurement } from "../result.ts";
import type { Verdict } from "./targets.ts";

export interface Report {
  /** When it began, in ISO form. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Of the working tree, with `+` behind it when files were changed. */
  readonly revision: string;
  /** The revision it was held against. */
  readonly against: string | undefined;
  readonly isQuick: boolean;
  readonly machine: Machine;
  readonly plan: Plan;
  /** A sentence for each contender that took no part, and for whatever else is to be known first. */
  readonly notes: readonly string[];
  readonly measurements: readonly Measurement[];
  readonly verdicts: readonly Verdict[];
  /** What the gateway did wrong, a sentence each: with any of these the figures are worth nothing. */
  readonly faults: readonly string[];
}
