import fc from "fast-check";
import { expect, test } from "vitest";
import { addToWindow, MINUTE_WINDOW, windowCells, windowFreeInMs, windowTotal } from "./rolling-window.ts";

const SHAPE = { bucketMs: 10, buckets: 5 };
/** What lies in front of and behind the window, and must stay as it is. */
const MARGIN = 3;

/** Every count with its time: what the window must agree with, slice by slice. */
class NaiveWindow {
  readonly #counted: { readonly bucket: number; readonly amount: number }[] = [];

  add(nowMs: number, amount: number): void {
    this.#counted.push({ bucket: Math.floor(nowMs / SHAPE.bucketMs), amount });
  }

  total(nowMs: number): number {
    const oldest = Math.floor(nowMs / SHAPE.bucketMs) - SHAPE.buckets + 1;
    return this.#counted.reduce((sum, { bucket, amount }) => sum + (bucket >= oldest ? amount : 0), 0);
  }
}

const STEPS = fc.array(fc.record({ waitMs: fc.nat(120), amount: fc.nat(9) }), { maxLength: 80 });

function emptyCells(): Uint32Array {
  return new Uint32Array(windowCells(SHAPE) + 2 * MARGIN);
}

test("agrees with a list of everything counted, and touches no cell but its own", () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), STEPS, (startMs, steps) => {
      const cells = emptyCells();
      const model = new NaiveWindow();
      let nowMs = startMs;
      for (const { waitMs, amount } of steps) {
        nowMs += waitMs;
        addToWindow(cells, MARGIN, SHAPE, nowMs, amount);
        model.add(nowMs, amount);
        expect(windowTotal(cells, MARGIN, SHAPE, nowMs)).toBe(model.total(nowMs));
      }
      expect([...cells.slice(0, MARGIN), ...cells.slice(-MARGIN)].every((cell) => cell === 0)).toBe(true);
    }),
  );
});

test("room is promised for the very millisecond in which there is room", () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), STEPS, fc.integer({ min: 1, max: 30 }), (startMs, steps, limit) => {
      const cells = emptyCells();
      let nowMs = startMs;
      for (const { waitMs, amount } of steps) {
        nowMs += waitMs;
        addToWindow(cells, MARGIN, SHAPE, nowMs, amount);
      }
      const freeInMs = windowFreeInMs(cells, MARGIN, SHAPE, nowMs, limit);
      const totalIn = (waitMs: number): number =>
        windowTotal(Uint32Array.from(cells), MARGIN, SHAPE, nowMs + waitMs);
      expect(totalIn(freeInMs)).toBeLessThan(limit);
      const isFullUntilThen = freeInMs === 0 || totalIn(freeInMs - 1) >= limit;
      expect(isFullUntilThen).toBe(true);
    }),
  );
});

test("no minute sees more than the limit, wherever it begins", () => {
  const cells = new Uint32Array(windowCells(MINUTE_WINDOW));
  addToWindow(cells, 0, MINUTE_WINDOW, 999, 40);
  expect(windowTotal(cells, 0, MINUTE_WINDOW, 60_998)).toBe(40);
  expect(windowTotal(cells, 0, MINUTE_WINDOW, 61_000)).toBe(0);
});

test("a clock that goes back neither frees nor loses what was counted", () => {
  const cells = new Uint32Array(windowCells(MINUTE_WINDOW));
  addToWindow(cells, 0, MINUTE_WINDOW, 100_000, 3);
  addToWindow(cells, 0, MINUTE_WINDOW, 20_000, 2);
  expect(windowTotal(cells, 0, MINUTE_WINDOW, 20_000)).toBe(5);
  expect(windowTotal(cells, 0, MINUTE_WINDOW, 161_000)).toBe(0);
});

test("counts end at their greatest number instead of beginning again", () => {
  const cells = new Uint32Array(windowCells(MINUTE_WINDOW));
  addToWindow(cells, 0, MINUTE_WINDOW, 0, 0xff_ff_ff_ff);
  addToWindow(cells, 0, MINUTE_WINDOW, 0, 7);
  expect(windowTotal(cells, 0, MINUTE_WINDOW, 0)).toBe(0xff_ff_ff_ff);
});
