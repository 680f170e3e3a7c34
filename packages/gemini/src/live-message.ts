/**
 * What the gateway must know of a Live session's messages: the setup, and what the session has used.
 * Runs on the HTTP workers. Never parses what merely passes: a message is searched for a name first.
 */
import { MODEL_NAME_LENGTH_MAX } from "./route.ts";
import { readUsage, type Usage } from "./usage.ts";

export interface LiveSetup {
  /** Bare model name; "" when the setup names none, as with a token that fixes it. */
  readonly model: string;
}

/** Reads a session's first message; undefined when it is no setup. Never throws. */
export function readLiveSetup(message: Buffer): LiveSetup | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(message.toString("utf8"));
  } catch {
    return undefined;
  }
  const setup = fieldOf(parsed, "setup");
  if (typeof setup !== "object" || setup === null) return undefined;
  const model = fieldOf(setup, "model") ?? "";
  if (typeof model !== "string") return undefined;
  const bare = model.startsWith("models/") ? model.slice("models/".length) : model;
  return bare.length > MODEL_NAME_LENGTH_MAX ? undefined : { model: bare };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const USAGE_NAME = "usageMetadata";

/** Tokens of one turn, which the server tells at its end; undefined in every other message. */
export function usageInLiveMessage(message: Buffer): Usage | undefined {
  return message.includes(USAGE_NAME, 0, "latin1") ? readUsage(message) : undefined;
}

/** Each turn is paid for what it reads and says, so a session costs their sum. */
export function usageSum(a: Usage | undefined, b: Usage): Usage {
  if (a === undefined) return b;
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
  };
}

/** The server's own way to say that a connection will end; a client with a handle comes back in time. */
export function goAwayMessage(leftMs: number): string {
  return JSON.stringify({ goAway: { timeLeft: `${Math.max(0, Math.floor(leftMs / 1000))}s` } });
}
