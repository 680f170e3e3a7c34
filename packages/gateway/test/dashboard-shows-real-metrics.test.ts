import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const DASHBOARD = JSON.parse(
  readFileSync(new URL("../../../docs/grafana-dashboard.json", import.meta.url), "utf8"),
) as Dashboard;

/** A name of ours or of the process, with the labels it is asked by and grouped by. */
const METRIC = /\b(?:gemini_gateway|process)_[a-z0-9_]+/g;

const ADDED_BY_PROMETHEUS: ReadonlySet<string> = new Set(["instance", "job"]);

it("every metric the dashboard shows is one the gateway tells, and the dashboard shows every one", async () => {
  await using pool = await startPool();
  await (await ask(pool.url)).text();
  await pool.requestLogged();
  const page = await (await fetch(`${pool.url}/metrics`)).text();
  const told = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type]) =>
    // A dashboard asks for a histogram's buckets.
    type === "histogram" ? `${name}_bucket` : name,
  );
  const shown = DASHBOARD.panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => [...expr.matchAll(METRIC)].map(([name]) => name)),
  );
  expect(new Set(shown)).toEqual(new Set(told));
});

it("labels it groups by exist", async () => {
  await using pool = await startPool();
  await (await ask(pool.url)).text();
  await pool.requestLogged();
  const page = await (await fetch(`${pool.url}/metrics`)).text();
  for (const { title, targets } of DASHBOARD.panels) {
    for (const { expr } of targets) {
      const [metric = ""] = expr.match(METRIC) ?? [];
      const [, labels = ""] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
      const line = page
        .split("\n")
        .find((each) => each.startsWith(`${metric}{`) || each.startsWith(`${metric} `));
      for (const label of labels
        .split(", ")
        .filter((each) => each !== "" && !ADDED_BY_PROMETHEUS.has(each))) {
        expect(`${title}: ${line}`).toContain(`${label}="`);
      }
    }
  }
});

it("no two panels have the same id", () => {
  const ids = DASHBOARD.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
