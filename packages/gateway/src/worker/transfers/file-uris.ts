/**
 * Whose address the URIs of files bear: Google's, as they come, or by setting the gateway's, which Google would not know
 * in requests. Worker threads.
 */
import { ownAddressEdits } from "@gemini-gateway/gemini/resources/body-edits";
import type { BodyReading } from "@gemini-gateway/gemini/resources/body-reading";
import { GOOGLE_ORIGIN, type PublicBase } from "@gemini-gateway/gemini/resources/file-address";
import { withPublicAddresses } from "@gemini-gateway/gemini/resources/public-address";
import type { ClientRequest } from "../client/client-call.ts";
import { encodingOf, withBody, type KeptAnswer } from "../kept-answer.ts";
import type { RequestBody } from "../request-body.ts";
import type { Service } from "../service.ts";
import { publicBaseFor } from "./public-base.ts";

const NONE: readonly PublicBase[] = [];

/** The addresses that files of this request and its answer may bear beside Google's: one, or none. */
export function fileBasesOf(
  { config, guard }: Pick<Service, "config" | "guard">,
  call: Pick<ClientRequest, "target" | "rawHeaders" | "peer">,
): readonly PublicBase[] {
  return config.fileUris === "google" ? NONE : [publicBaseFor(call, config, guard)];
}

/** Puts Google's address where a request has the gateway's. */
export function toGooglesUris(body: RequestBody, reading: BodyReading | undefined): void {
  if (reading?.ownAddresses === undefined || reading.ownAddresses.length === 0) return;
  const edits = ownAddressEdits(reading, GOOGLE_ORIGIN) ?? [];
  if (edits.length > 0) body.edit(edits);
}

/** An answer whose files bear the first of these addresses; the same when there is none. */
export function withGatewaysUris(answer: KeptAnswer, [base]: readonly PublicBase[]): KeptAnswer {
  if (base === undefined || encodingOf(answer) !== "") return answer;
  const body = withPublicAddresses(answer.body, GOOGLE_ORIGIN, base);
  return body === answer.body ? answer : withBody(answer, body);
}

/** What a client says in a Live session, with Google's address where it has the gateway's; the same buffer without one. */
export function saidToGoogle(message: Buffer, [base]: readonly PublicBase[]): Buffer {
  return base === undefined ? message : withPublicAddresses(message, base, GOOGLE_ORIGIN);
}
