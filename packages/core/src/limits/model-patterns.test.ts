import { expect, test } from "vitest";
import { allowsModel } from "./model-patterns.ts";

test.each([
  [[], "gemini-2.5-pro", true],
  [["gemini-2.5-pro"], "gemini-2.5-pro", true],
  [["gemini-2.5-pro"], "gemini-2.5-pro-exp", false],
  [["gemini-2.5-*"], "gemini-2.5-flash", true],
  [["gemini-2.5-*"], "gemini-2.0-flash", false],
  [["*flash"], "gemini-2.5-flash", true],
  [["*flash"], "gemini-2.5-flash-lite", false],
  [["gemini-*-flash*"], "gemini-2.5-flash-lite", true],
  [["gemini-*-flash*"], "gemini-flash", false],
  [["a*a"], "a", false],
  [["*ab*ab"], "ab", false],
  [["*"], "", true],
  [["x", "gemini-2.5-pro"], "gemini-2.5-pro", true],
] as const)("%j and %s: %s", (patterns, model, expected) => {
  expect(allowsModel(patterns, model)).toBe(expected);
});
