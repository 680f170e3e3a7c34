/** What is told of projects that a list had to do without. Worker threads; pure. */
import type { Denial } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { LastFailure } from "../final-answer.ts";

/** Why a project's page is not to be had. */
export interface Miss {
  /** The last attempt that failed, if there was one. */
  readonly last: LastFailure | undefined;
  /** Why no key was lent, when that is what ended it. */
  readonly denial: Denial | undefined;
}

export interface NamedMiss extends Miss {
  /** Public name of a key of the project. */
  readonly fingerprint: string;
}

/** Projects named in the header. */
const NAMED_MAX = 16;

/** An answer that is no list. */
export function noList(status: number): Outcome {
  return { kind: "broken", evidence: { httpStatus: status, reason: "no-list", message: "" } };
}

/** `x-gateway-left-out: k-abc=quota, k-def=overloaded, 3 more`: each project by a key of it. Flat name and value. */
export function leftOutHeader(misses: readonly NamedMiss[]): readonly string[] {
  const named = misses.slice(0, NAMED_MAX).map((miss) => `${miss.fingerprint}=${wordOf(miss)}`);
  if (misses.length > NAMED_MAX) named.push(`${misses.length - NAMED_MAX} more`);
  return ["x-gateway-left-out", named.join(", ")];
}

function wordOf({ last, denial }: Miss): string {
  return last?.outcome.kind ?? denial?.reason ?? "internal";
}

/** Of several misses the one that stands for all: an answer of the upstream, else the project that returns first. */
export function missToTell(misses: readonly Miss[]): Miss {
  const answered = misses.find(({ last }) => last?.kept !== undefined) ?? misses.find(({ last }) => last);
  if (answered !== undefined) return { ...answered, denial: ofThePool(answered.denial) };
  const [soonest] = misses.toSorted((one, other) => returnMs(one.denial) - returnMs(other.denial));
  return { last: undefined, denial: ofThePool(soonest?.denial) };
}

function returnMs(denial: Denial | undefined): number {
  return denial?.retryAtMs ?? Number.POSITIVE_INFINITY;
}

/** Every project was asked: what is true of one of them is told as of the pool. */
function ofThePool(denial: Denial | undefined): Denial | undefined {
  if (denial === undefined) return undefined;
  const { reason, retryAtMs } = denial;
  return retryAtMs === undefined ? { reason } : { reason, retryAtMs };
}
