/**
 * Pools in the situations every client is put into: guarded by an auth key below a path prefix, out of quota, about to
 * fail over, about to break off. The same for all clients, so that their tests differ only in what the client does.
 */
import type { Emulator } from "gemini-emulator";
import { startPool, type Pool } from "./pool.ts";

/** A model without thoughts, as the README's snippets use it. */
export const CHAT_MODEL = "gemini-3.5-flash-lite";
export const EMBEDDING_MODEL = "gemini-embedding-001";
/** Length of that model's vectors. */
export const EMBEDDING_LENGTH = 3072;

/** The auth key of {@link startGuardedPool}; its caller is logged as "team". */
export const TEAM_SECRET = "test-team-secret-1";

/** Serves only who shows {@link TEAM_SECRET}, and has a path prefix in its URL. */
export function startGuardedPool(): Promise<Pool> {
  return startPool({
    flags: { "path-prefix": "/gw", "auth-key": [`team=${TEAM_SECRET}`], anonymous: "denied" },
  });
}

/** Has projects enough to lose one to each of two failures. */
export function startSparePool(): Promise<Pool> {
  return startPool({
    projects: ["alpha", "beta", "gamma", "delta"].map((name) => ({ name, keys: [`test-key-${name}`] })),
  });
}

/** What Google's RetryInfo says in {@link startExhaustedPool}, seconds. */
const QUOTA_RETRY_SECONDS = 30;
/** The least the gateway may then tell: its own second more, and no more than two gone by while a test ran. */
export const RETRY_AFTER_MIN_SECONDS = QUOTA_RETRY_SECONDS - 1;
/** The most: the second added to Google's, rounded up. */
export const RETRY_AFTER_MAX_SECONDS = QUOTA_RETRY_SECONDS + 2;

/** Both projects are out of the minute's quota. */
export async function startExhaustedPool(): Promise<Pool> {
  const pool = await startPool();
  pool.emulator.fault({
    fault: { kind: "error", error: "quota-minute", retryDelaySeconds: QUOTA_RETRY_SECONDS },
  });
  return pool;
}

/** The next call meets a suspended project, whichever is asked; later ones are served. */
export function suspendNext(emulator: Emulator): void {
  emulator.fault({ times: 1, fault: { kind: "suspended-echo" } });
}

/** The next stream ends before its first event, as Gemini's sometimes do; later ones are whole. */
export function emptyNext(emulator: Emulator): void {
  emulator.fault({ times: 1, fault: { kind: "empty-stream" } });
}

/** The next stream reports an overload after its second event, in the upstream's own words. */
export function overloadNextMidStream(emulator: Emulator): void {
  emulator.fault({ times: 1, fault: { kind: "late-error-event", afterEvents: 2, error: "high-demand" } });
}

/** The next stream's connection breaks after its second event: the gateway has to find the words. */
export function breakNextMidStream(emulator: Emulator): void {
  emulator.fault({ times: 1, fault: { kind: "reset", afterEvents: 2 } });
}

/** Upstream status of each call so far, oldest first. */
export function upstreamStatuses({ calls }: Emulator): readonly number[] {
  return calls.recent().map(({ status }) => status);
}

/** What the emulator says to a prompt of letters, whichever project answers. */
export function replyTo(prompt: string): RegExp {
  return new RegExp(`^Hello from project \\w+: you said "${prompt}"$`);
}

/** What the emulator says to a tool's answer with this word in it. */
export function replyToTool(word: string): RegExp {
  return new RegExp(`^Project \\w+ got the tool's answer: .*${word}`);
}
