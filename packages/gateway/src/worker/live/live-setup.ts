/**
 * The first message of a Live session as the upstream is to have it: with the model in the place of an alias, and every
 * other byte as it came. Worker threads.
 */
import { readLiveSetup } from "@gemini-gateway/gemini/live-message";
import { withEdits } from "@gemini-gateway/gemini/resources/body-edits";
import { aliasEdits, modelForAlias, type ModelAliases } from "@gemini-gateway/gemini/resources/model-alias";
import type { LiveMessage } from "./live-attempt.ts";

/** Largest setup, bytes: it is kept until the session is set up. */
const SETUP_BYTES_MAX = 4_194_304;

interface TakenSetup {
  /** Bare, and no alias; "" when the setup names none, as with a token that fixes it. */
  readonly model: string;
  readonly setup: LiveMessage;
}

/** What the session begins with, or why it does not. Never throws. */
export function takeLiveSetup(
  message: LiveMessage,
  aliases: ModelAliases,
): TakenSetup | "body-too-large" | "no-live-setup" {
  const { data, isBinary } = message;
  if (data.length > SETUP_BYTES_MAX) return "body-too-large";
  const read = readLiveSetup(data);
  if (read === undefined) return "no-live-setup";
  const model = aliases.size === 0 ? undefined : modelForAlias(aliases, read.model);
  if (model === undefined) return { model: read.model, setup: message };
  return { model, setup: { data: withEdits(data, aliasEdits(aliases, data)), isBinary } };
}
