/**
 * What to do with a pair that is due: ask, wait for something to return, or leave it. Pure; run by the primary.
 */
import { askForKey, askForModel, isOutOfService } from "./ask.ts";
import type { AskPolicy, ProbeAsk, TestSubject } from "./ask.ts";
import { laneReturnMs } from "../lane.ts";
import { KEY_ITSELF } from "./test-plan.ts";

export type PairVerdict =
  | { readonly kind: "ask"; readonly ask: ProbeAsk }
  /** The lane rests, and opens by itself at `untilMs` (since the epoch). */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** Another use is trying it now. */
  | { readonly kind: "busy" }
  /** The key itself is in question, and asked for all its models. */
  | { readonly kind: "key-out" }
  /** Nothing is open: a key disabled by the operator, or one in service where only the key itself was in question. */
  | { readonly kind: "leave" };

export function judgePair(
  subject: TestSubject,
  model: string,
  nowMs: number,
  policy: AskPolicy,
): PairVerdict {
  if (!subject.isEnabled) return { kind: "leave" };
  const isOut = isOutOfService(subject);
  if (subject.isTrialOut) return { kind: "busy" };
  if (model === KEY_ITSELF) {
    return isOut ? { kind: "ask", ask: askForKey(policy, subject) } : { kind: "leave" };
  }
  if (isOut) return { kind: "key-out" };
  // A quota returns by the clock: asking before costs a request, and asking then only what any test costs.
  const untilMs = subject.lane === undefined ? undefined : laneReturnMs(subject.lane);
  if (untilMs !== undefined && untilMs > nowMs) return { kind: "wait", untilMs };
  return { kind: "ask", ask: askForModel(policy, subject) };
}
