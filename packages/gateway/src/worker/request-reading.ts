/**
 * Reads a request's body for what it says of its way: model, stream, resources, how its conversation begins. Worker
 * threads; once for each request. What is no JSON is not looked at: it may be a hundred megabytes of video.
 */
import type { BodyReading } from "@gemini-gateway/gemini/resources/body-reading";
import { readBodyInPieces } from "@gemini-gateway/gemini/resources/read-body";
import { bodyChoice, modelInBody, type Route } from "@gemini-gateway/gemini/route";
import type { Caller } from "./auth.ts";
import type { RequestBody } from "./request-body.ts";

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const SPACE = 0x20;
/** White space before a body's first brace that is read past, bytes. */
const INDENT_BYTES_MAX = 64;

/** @returns undefined for a request without a JSON body, and for the bytes of an upload */
export function readRequest(
  { isUpload }: Pick<Route, "isUpload">,
  body: RequestBody,
): BodyReading | undefined {
  if (isUpload || body.bytes === 0) return undefined;
  const pieces = body.toSend();
  return beginsJson(pieces[0]) ? readBodyInPieces(pieces, () => body.whole()) : undefined;
}

/**
 * The bare model that the body names; "" for none.
 * @param reading of the body
 */
export function modelToServe(
  { client }: Pick<Caller, "client">,
  reading: BodyReading | undefined,
  body: RequestBody,
): string {
  // Bytes that are no JSON may read like anything: who may ask only some models is not believed on them.
  const choice = client === undefined ? reading && bodyChoice(reading) : modelInBody(body.whole());
  return choice?.model ?? "";
}

function beginsJson(piece: Buffer | undefined): boolean {
  if (piece === undefined) return false;
  let at = 0;
  while (at < INDENT_BYTES_MAX && (piece[at] ?? OPEN_BRACE) <= SPACE) at += 1;
  return piece[at] === OPEN_BRACE || piece[at] === OPEN_BRACKET;
}
