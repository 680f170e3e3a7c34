import { expect, it } from "vitest";
import { goAwayMessage, readLiveSetup, usageInLiveMessage, usageSum } from "./live-message.ts";

function setupOf(message: unknown): unknown {
  return readLiveSetup(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
}

it("reads the model of a setup", () => {
  expect(setupOf({ setup: { model: "models/gemini-live" } })).toEqual({ model: "gemini-live" });
  expect(setupOf({ setup: { model: "tunedModels/x" } })).toEqual({ model: "tunedModels/x" });
  expect(setupOf({ setup: {} })).toEqual({ model: "" });
});

it.each([
  "nonsense",
  "null",
  "[]",
  { clientContent: {} },
  { setup: "x" },
  { setup: { model: 1 } },
  { setup: { model: "m".repeat(300) } },
])("takes nothing else for one: %j", (message) => {
  expect(setupOf(message)).toBeUndefined();
});

it("counts the tokens of each turn, answers and thoughts as output", () => {
  const usage = { promptTokenCount: 5, responseTokenCount: 7, thoughtsTokenCount: 2, totalTokenCount: 14 };
  const told = usageInLiveMessage(Buffer.from(JSON.stringify({ serverContent: {}, usageMetadata: usage })));
  expect(told).toEqual({ promptTokens: 5, outputTokens: 9, totalTokens: 14 });
  expect(told && usageSum(told, told)).toEqual({ promptTokens: 10, outputTokens: 18, totalTokens: 28 });
  expect(usageInLiveMessage(Buffer.from('{"serverContent":{}}'))).toBeUndefined();
});

it("words a goAway as the server does", () => {
  expect(JSON.parse(goAwayMessage(29_900))).toEqual({ goAway: { timeLeft: "29s" } });
});
