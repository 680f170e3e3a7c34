/** Puts the progress and the result of a run of tests into words. Pure. */
import type { TestLine, TestResultLine } from "../control/key-desk-types.ts";
import { cell, formatTable } from "./table.ts";

const BAR_WIDTH = 30;
const KEY_ITSELF = "(key itself)";

/** `[=====>    ] 12/40 k-… served` on one line. */
export function progressBar(done: number, total: number, last: string): string {
  const share = total === 0 ? 1 : Math.min(done / total, 1);
  const filled = Math.round(share * BAR_WIDTH);
  return `[${"=".repeat(filled).padEnd(BAR_WIDTH)}] ${done}/${total} ${cell(last)}`;
}

/** One result on a line of its own. */
export function resultText(line: TestResultLine): string {
  const status = line.httpStatus === 0 ? "no answer" : String(line.httpStatus);
  const facts = [line.ask, line.outcome, status, ...(line.reason === "" ? [] : [cell(line.reason)])];
  return `${line.done}/${line.total} ${line.fingerprint} ${line.model ?? KEY_ITSELF}: ${facts.join(", ")} (${line.durationMs} ms)`;
}

/** Counts results by model and outcome. */
export class TestSummary {
  readonly #counts = new Map<string, { model: string; outcome: string; keys: number }>();
  skipped = 0;

  add(line: TestLine): void {
    if (line.type === "skipped") this.skipped += 1;
    if (line.type !== "result") return;
    const model = line.model ?? KEY_ITSELF;
    const name = `${model} ${line.outcome}`;
    const count = this.#counts.get(name) ?? { model, outcome: line.outcome, keys: 0 };
    this.#counts.set(name, { ...count, keys: count.keys + 1 });
  }

  text({ tested, serving, disabled, unknown }: Extract<TestLine, { type: "ended" }>): string {
    const rows = [...this.#counts.values()].toSorted(
      (one, other) => one.model.localeCompare(other.model) || other.keys - one.keys,
    );
    return [
      ...(rows.length === 0
        ? []
        : [
            formatTable(
              ["MODEL", "OUTCOME", "KEYS"],
              rows.map(({ model, outcome, keys }) => [model, outcome, String(keys)]),
            ),
          ]),
      `${tested} test${tested === 1 ? "" : "s"} made, ${this.skipped} not needed or not possible; keys that serve: ${serving}.`,
      ...(disabled === 0
        ? []
        : [`Not tested because disabled: ${disabled} key${disabled === 1 ? "" : "s"}.`]),
      ...unknown.map((fingerprint) => `No key has the fingerprint ${cell(fingerprint)}.`),
    ].join("\n");
  }
}
