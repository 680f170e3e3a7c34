/**
 * The upstream: the emulator in a process of its own, so that its time is never charged to a contender. Takes orders
 * over the channel to its parent and ends with it.
 */
import { type Emulator, startEmulator } from "gemini-emulator";
import { SHORT_STREAM_MODEL, SHORT_STREAM_PATH, UNARY_MODEL, UNARY_PATH } from "../workload.ts";
import type { UpstreamOrder } from "./protocol.ts";
import { recordAnswers, serveShortAnswers } from "./short-answers.ts";

/** So that two runs meet the same row of failures. */
const SEED = 7;

/** Models whose answers are replayed rather than made anew. */
const SHORT_MODELS: ReadonlySet<string> = new Set([UNARY_MODEL.name, SHORT_STREAM_MODEL.name]);

let emulator: Emulator | undefined;
let generations = 0;

async function obey(order: UpstreamOrder): Promise<unknown> {
  switch (order.kind) {
    case "start":
      return start(order.options);
    case "count":
      return generations;
    case "faults":
      for (const rule of order.rules) emulator?.fault(rule);
      return undefined;
    case "storm":
      return raiseStorm(order.exhausted, order.overloadedShare);
  }
}

async function start(options: Extract<UpstreamOrder, { kind: "start" }>["options"]): Promise<string> {
  emulator = await startEmulator(options);
  emulator.onCall(({ phase, operation }) => {
    if (phase === "done" && operation === "generateContent") generations += 1;
  });
  const key = options.projects?.[0]?.keys?.[0];
  const isShort = options.models?.every(({ name }) => SHORT_MODELS.has(name)) === true;
  // What is not replayed would go through one process twice, with three open files for each stream.
  if (options.minimal !== true || key === undefined || !isShort) return emulator.url;
  const url = new URL(emulator.url);
  return serveShortAnswers(url, await recordAnswers(url, [UNARY_PATH, SHORT_STREAM_PATH], key));
}

function raiseStorm(exhausted: readonly string[], overloadedShare: number): void {
  for (const project of exhausted) {
    emulator?.fault({ match: { project }, fault: { kind: "error", error: "quota-day" } });
  }
  emulator?.fault({
    probability: overloadedShare,
    seed: SEED,
    fault: { kind: "error", error: "overloaded" },
  });
}

process.on("message", (order: UpstreamOrder) => {
  void obey(order).then(
    (result) => process.send?.({ kind: "done", result }),
    (error: unknown) => process.send?.({ kind: "failed", message: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
// Ctrl-C on the terminal reaches every process: the parent decides when this one ends.
process.on("SIGINT", () => {});
process.send?.({ kind: "ready" });
