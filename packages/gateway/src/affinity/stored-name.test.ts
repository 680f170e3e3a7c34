import { expect, it } from "vitest";
import { PLAIN_NAME_LENGTH_MAX, shownName, storedName } from "./stored-name.ts";

it.each([
  "files/abc-123",
  "cachedContents/ez2yh",
  "models/veo-4/operations/op1",
  "fileSearchStores/s",
  "interactions/v1_Chd",
])("keeps %s as it is", (name) => {
  expect(storedName(name)).toBe(name);
  expect(shownName(name)).toBe(name);
});

it.each([
  "uploads/AOCedOGNfObK-secret",
  "auth_tokens/secret",
  "live-handles/secret",
  "continuations/secret",
  "something-new/secret",
  "secret",
  `interactions/secret${"x".repeat(PLAIN_NAME_LENGTH_MAX)}`,
  `${"long".repeat(20)}/secret`,
])("keeps only a digest of %s, always the same", (name) => {
  const stored = storedName(name);
  expect(stored).not.toContain("secret");
  expect(stored.length).toBeLessThan(60);
  expect(stored).toMatch(/^[\w-]*\/~[\w-]{22}$/);
  expect(storedName(name)).toBe(stored);
  expect(storedName(stored)).toBe(stored);
  expect(storedName(`${name}2`)).not.toBe(stored);
  expect(shownName(name)).toMatch(/^[\w-]*\/…$/);
});
