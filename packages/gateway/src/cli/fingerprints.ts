/** Reads the fingerprints that commands on keys are given. Pure. Must never repeat what was given: it may be a key. */
import { ConfigError } from "../config/config-error.ts";
import { FINGERPRINT, FINGERPRINTS_MAX } from "../control/key-desk-requests.ts";

/** @throws ConfigError unless every word is a fingerprint, and there are `min` of them or more. */
export function fingerprintsOf(command: string, words: readonly string[], min = 0): readonly string[] {
  const isCount = words.length >= min && words.length <= FINGERPRINTS_MAX;
  if (isCount && words.every((word) => FINGERPRINT.test(word))) return words;
  throw new ConfigError(
    `${command} takes fingerprints such as k-abcdefghij23, as \`keys list\` shows them, and no keys`,
  );
}
