/** Headers of ours that an answer carries beside the upstream's. Worker threads; pure. */
import { headerOf } from "../http1/header-list.ts";
import type { Admission } from "./admission.ts";
import { attemptsHeader, type AttemptNote } from "./request-record.ts";

/** What every answer carries and, for a caller with an auth key that asks for it, the attempts. A flat list. */
export function extraHeadersOf(
  { caller, extraHeaders }: Admission,
  rawHeaders: readonly string[],
  notes: readonly AttemptNote[],
): readonly string[] {
  if (!caller.authenticated || headerOf(rawHeaders, "x-gateway-debug") === undefined) return extraHeaders;
  return [...extraHeaders, "x-gateway-attempts", attemptsHeader(notes)];
}
