/** Shows a client the page of the model list it asked for, cut from the whole list. Worker threads. */
import { cutModelPage, type ModelPage } from "@gemini-gateway/gemini/model-pages";
import { ANSWER_BYTES_MAX } from "@gemini-gateway/gemini/resources/answer-resources";
import type { Route } from "@gemini-gateway/gemini/route";
import type { KeptAnswer } from "./kept-answer.ts";

/** Bytes of a model list that are held back to be cut: several times what Google's longest page has. */
const MODEL_LIST_BYTES_MAX = 4_194_304;

/**
 * Bytes of an answer that is no stream to be held until it is whole: of one that is cut here, or is read for the
 * resources that it tells of, more than of others.
 */
export function wholeBytesMax(
  { tells }: Pick<Route, "tells">,
  page: ModelPage | undefined,
  otherwise: number,
): number {
  if (page !== undefined) return MODEL_LIST_BYTES_MAX;
  return tells === "none" || tells === "generation" ? otherwise : Math.max(otherwise, ANSWER_BYTES_MAX);
}

/** The answer with the page in place of the whole list; the same answer when there is nothing to cut. */
export function pagedAnswer(answer: KeptAnswer, page: ModelPage | undefined): KeptAnswer {
  const body = page === undefined ? undefined : cutModelPage(answer.body, page);
  if (body === undefined) return answer;
  const rawHeaders: string[] = ["content-length", String(body.length)];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    const name = answer.rawHeaders[at] ?? "";
    if (name.toLowerCase() !== "content-length") rawHeaders.push(name, answer.rawHeaders[at + 1] ?? "");
  }
  return { ...answer, rawHeaders, body };
}
