/** How much of an answer is read whole before anything of it is sent. Worker threads; pure. */
import { ANSWER_BYTES_MAX } from "@gemini-gateway/gemini/resources/answer-resources";
import type { Route } from "@gemini-gateway/gemini/route";

/**
 * Bytes of an answer that is no stream to be held until it is whole: more of one that is read for the resources that it
 * tells of.
 */
export function wholeBytesMax({ tells }: Pick<Route, "tells">, otherwise: number): number {
  return tells === "none" || tells === "generation" ? otherwise : Math.max(otherwise, ANSWER_BYTES_MAX);
}
