/**
 * Ends a test run with one line a machine can read, such as `123 passed, 0 failed, 4 skipped`: all that counts is in
 * it. Loaded by vitest; with TEST_TALLY_FILE set it writes the line there too, for .ci/run.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** `4 skipped` is left out when nothing was. */
export function closingLine({ passed, failed, skipped }: Readonly<Tally>): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Counts tests by their result. A file or a suite that broke outside its tests (a throwing import, a failing hook)
 * counts as one failure, so that "0 failed" is only ever said of a run that ends with exit code 0.
 */
export function tallyOf(modules: readonly TestModule[], unhandledErrorCount: number): Tally {
  const tally: Tally = { passed: 0, failed: unhandledErrorCount, skipped: 0 };
  for (const module of modules) {
    tally.failed += module.errors().length;
    for (const suite of module.children.allSuites()) tally.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test still pending at the end was cut off: it has not passed.
      if (state === "pending") tally.failed += 1;
      else tally[state] += 1;
    }
  }
  return tally;
}

export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const line = closingLine(tallyOf(modules, unhandledErrors.length));
    console.log(line);
    const tallyFile = process.env["TEST_TALLY_FILE"];
    if (tallyFile !== undefined) writeFileSync(tallyFile, `${line}\n`);
  }
}
