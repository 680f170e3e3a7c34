import { expect, test } from "vitest";
import { SharedLocks } from "./shared-locks.ts";

function wordsOf(locks: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(locks * Int32Array.BYTES_PER_ELEMENT));
}

/** Leaves a lock as a thread does that dies inside. */
function dieInside(words: Int32Array, lock: number, holder: number): void {
  new SharedLocks(words, holder).hold(lock, () => {
    const held = words[lock] ?? 0;
    // What `hold` will find is no longer its own, so it leaves it; then the dead thread's word is put back.
    words[lock] = 0;
    queueMicrotask(() => {
      words[lock] = held;
    });
  });
}

test("a lock is free after its action, whether that returned or threw", () => {
  const words = wordsOf(1);
  const locks = new SharedLocks(words, 0);
  expect(locks.hold(0, () => words[0] === 0)).toBe(false);
  expect(words[0]).toBe(0);
  expect(() => locks.hold(0, () => fail())).toThrow("inside");
  expect(words[0]).toBe(0);
});

test("what a dead thread held is taken back, and nothing of others", async () => {
  const words = wordsOf(3);
  dieInside(words, 0, 4);
  dieInside(words, 2, 5);
  await Promise.resolve();
  const primary = new SharedLocks(words, 256);
  primary.reclaim(4);
  expect([words[0] === 0, words[1] === 0, words[2] === 0]).toEqual([true, true, false]);
  expect(primary.hold(0, () => "free")).toBe("free");
});

test("a lock that nobody takes back is taken over, and its late holder frees nobody else's", async () => {
  const words = wordsOf(1);
  dieInside(words, 0, 9);
  await Promise.resolve();
  const other = new SharedLocks(words, 1);
  other.hold(0, () => {
    expect((words[0] ?? 0) & 1023).toBe(2);
  });
  expect(words[0]).toBe(0);
});

function fail(): never {
  throw new Error("inside");
}
