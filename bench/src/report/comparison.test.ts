import { expect, test } from "vitest";
import { againstName, GATEWAY } from "../entrants.ts";
import { type Metric, Recorder } from "../result.ts";
import { comparisonTable } from "./comparison.ts";

const METRICS: readonly Metric[] = [
  { id: "cpu", title: "CPU", unit: "µs", better: "lower", digits: 0 },
  { id: "rate", title: "rate", unit: "", better: "higher", digits: 0 },
  { id: "noise", title: "noise", unit: "", better: "lower", digits: 0 },
  { id: "load", title: "load", unit: "", better: "neither", digits: 0 },
];

test("failures where there were none before are worse", () => {
  const recorder = new Recorder();
  recorder.record(GATEWAY, "one thread", { cpu: 3 });
  recorder.record(againstName("abc1234"), "one thread", { cpu: 0 });
  const measurement = {
    id: "unary",
    title: "Unary",
    method: "",
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [],
  } as const;
  expect(comparisonTable([measurement], "abc1234").rows).toEqual([
    ["Unary, one thread", "CPU, µs", "worse", "3", "0", "-"],
  ]);
});

test("a change is told where all rounds agree, and called unclear or the same where they do not", () => {
  const recorder = new Recorder();
  for (const [now, before, noise] of [
    [40, 50, 90],
    [80, 100, 120],
  ] as const) {
    recorder.record(GATEWAY, "one thread", { cpu: now, rate: now, noise, load: 1 });
    recorder.record(againstName("abc1234"), "one thread", { cpu: before, rate: before, noise: 100, load: 1 });
    recorder.record("nginx", "one thread", { cpu: 1 });
  }
  const measurement = {
    id: "unary",
    title: "Unary",
    method: "",
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [],
  } as const;
  expect(comparisonTable([measurement], "abc1234").rows).toEqual([
    ["Unary, one thread", "CPU, µs", "better", "60 (40–80)", "75 (50–100)", "0.800 (0.800–0.800)"],
    ["Unary, one thread", "rate", "worse", "60 (40–80)", "75 (50–100)", "0.800 (0.800–0.800)"],
    ["Unary, one thread", "noise", "unclear", "105 (90–120)", "100 (100–100)", "1.050 (0.900–1.200)"],
  ]);
  expect(comparisonTable([measurement], "other").rows).toEqual([]);
});
