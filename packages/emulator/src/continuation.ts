/**
 * Answers in several requests: a prompt that says `continue 2 times` is answered in three, each but the last with a
 * token that the next has to bring. Pure.
 */
import { sealed, unsealed } from "./resources/sealed-text.ts";

/** Requests one answer may be cut into, the first not counted. */
export const CONTINUATIONS_MAX = 20;

/** One of the requests an answer is cut into. */
export interface AnswerPart {
  /** From 1; undefined for an answer that is not cut. */
  readonly part: number | undefined;
  /** To be given out with this part; undefined with the last one. */
  readonly continuationToken: string | undefined;
}

/**
 * Which part of an answer a request gets.
 * @param given the token this request brought; its owner has been checked.
 */
export function answerPart(promptText: string, given: string | undefined, projectName: string): AnswerPart {
  const begun = given === undefined ? { left: asked(promptText), part: 0 } : stateIn(given);
  const part = begun.part + 1;
  const left = given === undefined ? begun.left : begun.left - 1;
  if (left === 0 && part === 1) return { part: undefined, continuationToken: undefined };
  const continuationToken =
    left > 0 ? sealed("continuationToken", projectName, `${left} ${part}`) : undefined;
  return { part, continuationToken };
}

function asked(promptText: string): number {
  return Math.min(CONTINUATIONS_MAX, Number(/\bcontinue (\d{1,2}) times?\b/i.exec(promptText)?.[1] ?? 0));
}

/** A token says how many parts were left when it was given out, and with which part. */
function stateIn(token: string): { readonly left: number; readonly part: number } {
  const [left = 0, part = 0] = (unsealed("continuationToken", token)?.payload ?? "").split(" ").map(Number);
  return { left, part };
}
