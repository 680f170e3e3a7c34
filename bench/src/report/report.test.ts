import { describe, expect, it } from "vitest";
import { FULL_PLAN } from "../plan.ts";
import { Recorder } from "../result.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";
import type { Report } from "./report.ts";
import { tableOf, terminalTable } from "./table.ts";
import { verdictsOn } from "./targets.ts";

const recorder = new Recorder();
for (const [gateway, nginx] of [
  [40, 20],
  [44, 21],
  [39, 19],
] as const) {
  recorder.record("gateway", "one thread", { cpu: gateway });
  recorder.record("nginx <floor>", "one thread", { cpu: nginx, rate: undefined });
}
const measurement = {
  id: "unary",
  title: "Unary requests",
  method: "As many as it takes.",
  metrics: [
    { id: "cpu", title: "CPU per request", unit: "µs", better: "lower", digits: 1 },
    { id: "rate", title: "requests/s", unit: "", better: "higher", digits: 0 },
  ],
  rows: recorder.rows(),
  notes: ["Nothing was pinned."],
} as const;
const report: Report = {
  startedAt: "2026-11-23T10:00:00.000Z",
  durationMs: 90_000,
  revision: "abc1234",
  against: undefined,
  isQuick: false,
  machine: {
    cores: 2,
    cpuModel: "Some CPU",
    memoryBytes: 8 * 2 ** 30,
    system: "Linux 6.1",
    node: "v26.0.0",
    openFilesMax: 1024,
    canPin: true,
    loadBefore: 0.1,
  },
  plan: FULL_PLAN,
  notes: ["nginx takes no part: not installed"],
  measurements: [measurement],
  verdicts: verdictsOn([measurement]),
  faults: [],
};

describe("the report", () => {
  it("aligns words to the left and figures to the right, and leaves out what was not measured", () => {
    expect(terminalTable(tableOf(measurement))).toBe(
      [
        "case        contender      CPU per request, µs",
        "one thread  gateway           40.0 (39.0–44.0)",
        "one thread  nginx <floor>     20.0 (19.0–21.0)",
      ].join("\n"),
    );
  });

  it("is a page that needs nothing else and in which names are not taken for markup", () => {
    const html = htmlReport(report);
    expect(html).toContain("<svg");
    expect(html).toContain("nginx &lt;floor&gt;");
    expect(html).not.toMatch(/<floor>|<script|src=|href=|url\(|https?:/);
  });

  it("is Markdown with the date, the machine and a table for the targets", () => {
    const markdown = markdownReport(report);
    expect(markdown).toContain("## 2026-11-23, revision abc1234");
    expect(markdown).toContain(
      "2 cores (Some CPU), 8 GB, Linux 6.1, Node v26.0.0, load before the start 0.1",
    );
    expect(markdown).toContain(
      "| CPU time per request, over nginx | at most 3×, aim 2× | not measured | - |",
    );
  });
});
