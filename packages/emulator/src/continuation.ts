/**
 * Answers in several requests: a prompt that says `continue 2 times` is answered in three, each but the last with a
 * token that the next has to bring. Pure.
 */
import { sealed, unsealed } from "./resources/sealed-text.ts";

/** Requests one answer may be cut into, the first not counted. */
export const CONTINUATIONS_MAX = 20;

/**
 * The token to give out with this part of the answer; undefined with the last one.
 * @param given the token this request brought; its owner has been checked.
 */
export function nextContinuation(
  promptText: string,
  given: string | undefined,
  projectName: string,
): string | undefined {
  const left = given === undefined ? asked(promptText) : leftIn(given);
  return left > 0 ? sealed("continuationToken", projectName, String(left)) : undefined;
}

function asked(promptText: string): number {
  return Math.min(CONTINUATIONS_MAX, Number(/\bcontinue (\d{1,2}) times?\b/i.exec(promptText)?.[1] ?? 0));
}

/** A token says how many parts were left when it was given out; the one it asks for is among them. */
function leftIn(token: string): number {
  return Number(unsealed("continuationToken", token)?.payload ?? 0) - 1;
}
