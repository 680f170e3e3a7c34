/**
 * Decides what of an original is taken over, and what is not and why. Pure: it reads nothing and writes nothing.
 */
import { formatNetwork, parseNetwork } from "@gemini-gateway/core/network/network";
import type { KeyHealth } from "@gemini-gateway/core/key-health";
import type { OutcomeKind } from "@gemini-gateway/core/outcome";
import { KEY_ITSELF } from "@gemini-gateway/core/probing/test-plan";
import type { OriginalKeyState } from "./original-database.ts";
import type { OriginalInstallation } from "./original-installation.ts";
import type { BanRow } from "../store/ban-table.ts";

/** A key with what was known of it. */
export interface PlannedKey {
  readonly secret: string;
  readonly project: string | undefined;
  /** Absent when nothing is known that would still hold. */
  readonly health?: KeyHealth;
  readonly tests: readonly PlannedTest[];
}

export interface PlannedTest {
  readonly model: string;
  readonly outcome: OutcomeKind;
  readonly httpStatus: number;
  readonly atMs: number;
  readonly dueAtMs: number;
}

export interface ImportPlan {
  readonly keys: readonly PlannedKey[];
  /** Keys that stood in the database only. */
  readonly keysInDatabaseOnly: number;
  readonly bans: readonly BanRow[];
  readonly oddBans: number;
  readonly endedBans: number;
}

/** Told of everything that came over. */
const NOTE = "taken over by import";
/** A test is never put off for longer, whatever the original meant. */
const WAIT_MAX_MS = 10 * 86_400_000;
/** After a state whose next test is unknown, milliseconds. */
const WAIT_MS = 86_400_000;

export function planImport(original: OriginalInstallation, nowMs: number): ImportPlan {
  const { secrets, states } = original.database;
  const byKey = Map.groupBy(states, ({ secret }) => secret);
  // Where there are key files they say which keys are in use; a database may hold any that ever were.
  const chosen =
    original.keys.length > 0
      ? original.keys
      : Array.from(secrets, (secret): { readonly secret: string; readonly project?: string } => ({ secret }));
  const taken = new Set(chosen.map(({ secret }) => secret));
  const keys = chosen.map(({ secret, project }) => planKey(secret, project, byKey.get(secret) ?? [], nowMs));
  const keysInDatabaseOnly = [...secrets].filter((secret) => !taken.has(secret)).length;
  return { keys, keysInDatabaseOnly, ...planBans(original, nowMs) };
}

function planKey(
  secret: string,
  project: string | undefined,
  states: readonly OriginalKeyState[],
  nowMs: number,
): PlannedKey {
  const tests = states.map((state) => plannedTest(state, nowMs));
  const health = healthOf(states, nowMs);
  return { secret, project, tests, ...(health === undefined ? {} : { health }) };
}

function plannedTest(
  { model, status, testedAtMs, nextTestAtMs }: OriginalKeyState,
  nowMs: number,
): PlannedTest {
  return {
    model: model ?? KEY_ITSELF,
    outcome: outcomeOf(status),
    httpStatus: status,
    atMs: Math.min(testedAtMs ?? nowMs, nowMs),
    dueAtMs: dueAt(nextTestAtMs, nowMs),
  };
}

function dueAt(nextTestAtMs: number | null, nowMs: number): number {
  return Math.min(Math.max(nextTestAtMs ?? nowMs + WAIT_MS, nowMs), nowMs + WAIT_MAX_MS);
}

function outcomeOf(status: number): OutcomeKind {
  if (status < 300) return "served";
  if (status === 401 || status === 403) return "key-dead";
  if (status === 404) return "model-unavailable";
  if (status === 429) return "quota-minute";
  return status >= 500 ? "overloaded" : "caller-fault";
}

/** Good when it served anything, dead when it was refused everywhere, else unknown: the first test will tell. */
function healthOf(states: readonly OriginalKeyState[], nowMs: number): KeyHealth | undefined {
  const outcomes = states.map(({ status }) => outcomeOf(status));
  if (outcomes.includes("served")) return { kind: "good", sinceMs: nowMs };
  if (states.length === 0 || !outcomes.every((outcome) => outcome === "key-dead")) return undefined;
  const httpStatus = states[0]?.status ?? 0;
  return {
    kind: "dead",
    reason: httpStatus === 401 ? "unauthenticated" : "invalid",
    evidence: { httpStatus, reason: "IMPORTED", message: `HTTP ${httpStatus} in the installation before` },
    sinceMs: Math.min(...states.map(({ testedAtMs }) => testedAtMs ?? nowMs), nowMs),
    failures: 1,
    trialAtMs: Math.min(...states.map(({ nextTestAtMs }) => dueAt(nextTestAtMs, nowMs))),
  };
}

function planBans(
  { settings, database }: OriginalInstallation,
  nowMs: number,
): Pick<ImportPlan, "bans" | "oddBans" | "endedBans"> {
  const bans = new Map<string, BanRow>();
  let [oddBans, endedBans] = [0, 0];
  const wanted = [
    ...settings.bans.map((address) => ({ address, sinceMs: null, untilMs: null })),
    ...database.bans,
  ];
  for (const { address, sinceMs, untilMs } of wanted) {
    const network = parseNetwork(address);
    if (network === undefined) oddBans += 1;
    else if (untilMs !== null && untilMs <= nowMs) endedBans += 1;
    else {
      const name = formatNetwork(network);
      bans.set(name, { network: name, reason: "operator", note: NOTE, sinceMs: sinceMs ?? nowMs, untilMs });
    }
  }
  return { bans: [...bans.values()], oddBans, endedBans };
}
