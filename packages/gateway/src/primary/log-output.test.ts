import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LogOutput } from "./log-output.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("gathers lines and hands them over together within half a second", () => {
  const sink = new Sink();
  using output = new LogOutput(sink);
  output.write("one\n");
  output.write("two\n");
  expect(sink.written).toEqual([]);
  vi.advanceTimersByTime(500);
  expect(sink.written).toEqual(["one\ntwo\n"]);
});

it("hands over at once what is much", () => {
  const sink = new Sink();
  using output = new LogOutput(sink);
  const line = `${"x".repeat(1023)}\n`;
  for (let count = 0; count < 63; count += 1) output.write(line);
  expect(sink.written).toEqual([]);
  output.write(line);
  expect(sink.written).toEqual([line.repeat(64)]);
});

it.each(["warn", "error", "fatal"] as const)(
  "hands over at once what pino tells as %s, and all before it",
  (level) => {
    const sink = new Sink();
    using output = new LogOutput(sink);
    const log = pino({ base: null, timestamp: false }, output);
    log.info("before");
    expect(sink.written).toEqual([]);
    log[level]("trouble");
    expect(sink.text()).toMatch(/"before"\}\n.*"trouble"\}\n$/);
  },
);

it("gathers again after a warning", () => {
  const sink = new Sink();
  using output = new LogOutput(sink);
  pino({ base: null }, output).warn("trouble");
  const before = sink.written.length;
  output.write("a line that pino did not write\n");
  expect(sink.written).toHaveLength(before);
});

it("has everything written when asked, and loses nothing at its end", async () => {
  const sink = new Sink();
  const output = new LogOutput(sink);
  output.write("one\n");
  const written = output.written();
  expect(sink.text()).toBe("one\n");
  sink.drained();
  await written;
  output.write("zwölf\n");
  output[Symbol.dispose]();
  expect([sink.text(), sink.flushes]).toEqual(["one\nzwölf\n", 1]);
});

it("waits for a reader that takes nothing, but not for ever", async () => {
  const sink = new Sink();
  const output = new LogOutput(sink);
  output.write("one\n");
  const written = output.written();
  await vi.advanceTimersByTimeAsync(5_000);
  await expect(written).resolves.toBeUndefined();
  output[Symbol.dispose]();
  expect(sink.flushes).toBe(0);
});

it("survives a reader that is gone", () => {
  const output = new LogOutput({
    write: () => true,
    flush: () => {},
    flushSync: () => {
      throw new Error("EPIPE");
    },
  });
  output.write("one\n");
  expect(() => output[Symbol.dispose]()).not.toThrow();
});

class Sink {
  readonly written: string[] = [];
  flushes = 0;
  /** Tells who waits that all is written. */
  drained = (): void => {};

  write(bytes: Buffer): void {
    this.written.push(bytes.toString());
  }

  flush(done: () => void): void {
    this.drained = done;
  }

  flushSync(): void {
    this.flushes += 1;
  }

  text(): string {
    return this.written.join("");
  }
}
