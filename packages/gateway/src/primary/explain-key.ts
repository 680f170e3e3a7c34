/**
 * Gathers why a key is in or out, for each model: what was observed, since when, on whose evidence, and when it is tried
 * again. Pure; for a running gateway and for what the last run stored.
 */
import { isKeyUsable, type KeyHealth } from "@gemini-gateway/core/key-health";
import { isLaneOpen, type LaneState } from "@gemini-gateway/core/lane";
import type { ProjectStanding } from "@gemini-gateway/core/project-standing";
import { KEY_ITSELF, type PlannedPair } from "@gemini-gateway/core/probing/test-plan";
import { QUOTA_NAMES, type QuotaName } from "@gemini-gateway/core/quota/quota-limits";
import type { LaneQuotaView, LaneView } from "@gemini-gateway/core/scheduler/views";
import type { KeyExplanation, KnownLimit, LastTest, Standing } from "../control/key-desk-types.ts";
import type { KeyRow } from "./store/rows.ts";

/** What is known of a key. */
export interface ExplainedKey {
  readonly row: Pick<KeyRow, "fingerprint" | "project" | "sourceFile" | "enabled" | "note" | "notedAtMs">;
  readonly health: KeyHealth;
  readonly standing: ProjectStanding;
  readonly lanes: readonly Pick<LaneView, "model" | "state" | "lastServedMs" | "quota">[];
  /** Resources known to be of its project. */
  readonly resources: number;
  /** Pairs of the key that are planned or were tested. */
  readonly pairs: readonly PlannedPair[];
}

/** Nothing tries it: another thing must change first. */
const NEVER_AGAIN = { againAtMs: null, againBy: null } as const;

export function explainKey(key: ExplainedKey): KeyExplanation {
  const { row } = key;
  const ofProject = key.standing.kind === "good" ? [] : [projectStanding(key, key.standing)];
  return {
    fingerprint: row.fingerprint,
    project: row.project,
    file: row.sourceFile,
    isEnabled: row.enabled,
    note: row.note,
    notedAtMs: row.notedAtMs,
    resources: key.resources,
    standings: [keyStanding(key), ...ofProject, ...modelStandings(key)],
  };
}

function keyStanding({ row, health, pairs }: ExplainedKey): Standing {
  const pair = pairOf(pairs, KEY_ITSELF);
  const isIn = row.enabled && isKeyUsable(health);
  const trialAtMs = "trialAtMs" in health ? health.trialAtMs : null;
  return {
    of: "key",
    model: null,
    isIn,
    outWith: row.enabled ? null : "operator",
    state: health.kind,
    reason: "reason" in health ? health.reason : null,
    sinceMs: "sinceMs" in health ? health.sinceMs : null,
    evidence: "evidence" in health ? health.evidence : null,
    ...(row.enabled ? again(isIn, pair, trialAtMs) : NEVER_AGAIN),
    lastServedMs: null,
    limits: [],
    lastTest: lastTest(pair),
  };
}

function projectStanding(
  { pairs }: ExplainedKey,
  standing: Exclude<ProjectStanding, { kind: "good" }>,
): Standing {
  const pair = pairOf(pairs, KEY_ITSELF);
  return {
    of: "project",
    model: null,
    isIn: false,
    outWith: null,
    state: standing.kind,
    reason: standing.kind === "denied" ? standing.reason : null,
    sinceMs: standing.sinceMs,
    evidence: standing.evidence,
    ...again(false, pair, standing.trialAtMs),
    lastServedMs: null,
    limits: [],
    lastTest: lastTest(pair),
  };
}

/** Models tried, tested or planned; by name. */
function modelStandings(key: ExplainedKey): Standing[] {
  const names = new Set(
    [...key.lanes, ...key.pairs].map(({ model }) => model).filter((name) => name !== KEY_ITSELF),
  );
  return [...names].toSorted().map((model) => modelStanding(key, model));
}

function modelStanding(key: ExplainedKey, model: string): Standing {
  const { lanes, pairs } = key;
  const outWith = outWithOf(key);
  const lane = lanes.find((each) => each.model === model);
  const state: LaneState = lane?.state ?? { kind: "untried" };
  const pair = pairOf(pairs, model);
  return {
    of: "model",
    model,
    isIn: outWith === null && isLaneOpen(state),
    outWith,
    state: state.kind,
    reason: null,
    sinceMs: "sinceMs" in state ? state.sinceMs : null,
    evidence: "evidence" in state ? state.evidence : null,
    // While the key is out, its models are not tested: they wait for it.
    ...(outWith === null ? laneAgain(state, pair) : NEVER_AGAIN),
    lastServedMs: lane === undefined || lane.lastServedMs === 0 ? null : lane.lastServedMs,
    limits: knownLimits(lane?.quota),
    lastTest: lastTest(pair),
  };
}

function outWithOf({ row, health, standing }: ExplainedKey): Standing["outWith"] {
  if (!row.enabled) return "operator";
  if (!isKeyUsable(health)) return "key";
  return standing.kind === "good" ? null : "project";
}

function knownLimits(quota: LaneQuotaView | undefined): KnownLimit[] {
  if (quota === undefined) return [];
  const used: Partial<Record<QuotaName, number>> = {
    requestsPerMinute: quota.requestsOfMinute,
    tokensPerMinute: quota.tokensOfMinute,
    requestsPerDay: quota.requestsOfDay,
  };
  return QUOTA_NAMES.flatMap((name) => {
    const limit = quota.limits[name];
    if (limit === undefined) return [];
    const learned = quota.learned[name];
    const source = learned?.limit === limit ? learned.source : "configured";
    return [{ quota: name, limit, used: used[name] ?? null, source }];
  });
}

/** A rest ends by the clock; before that, an exhausted day is tried by a request now and then. */
function laneAgain(state: LaneState, pair: PlannedPair | undefined): Pick<Standing, "againAtMs" | "againBy"> {
  switch (state.kind) {
    case "overloaded":
    case "quota-minute":
    case "quota-day":
      return { againAtMs: state.untilMs, againBy: "clock" };
    case "unavailable":
      return again(false, pair, state.trialAtMs);
    case "untried":
    case "proven":
    case "recovering":
      return again(true, pair, null);
  }
}

/** The test that is planned, else the trial that the next request would be; of both, the first. */
function again(
  isIn: boolean,
  pair: PlannedPair | undefined,
  trialAtMs: number | null,
): Pick<Standing, "againAtMs" | "againBy"> {
  const testAtMs = pair !== undefined && Number.isFinite(pair.dueAtMs) ? pair.dueAtMs : null;
  if (testAtMs !== null) return { againAtMs: testAtMs, againBy: "test" };
  return isIn || trialAtMs === null
    ? { againAtMs: null, againBy: null }
    : { againAtMs: trialAtMs, againBy: "request" };
}

function lastTest(pair: PlannedPair | undefined): LastTest | null {
  if (pair === undefined || pair.outcome === "untested") return null;
  return { outcome: pair.outcome, httpStatus: pair.httpStatus, atMs: pair.atMs };
}

function pairOf(pairs: readonly PlannedPair[], model: string): PlannedPair | undefined {
  return pairs.find((pair) => pair.model === model);
}
