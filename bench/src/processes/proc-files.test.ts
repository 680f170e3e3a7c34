import { expect, test } from "vitest";
import { cpuMicrosecondsOf, memoryBytesOf } from "./proc-files.ts";

test("user and system time are read behind a name that looks like fields", () => {
  const line = "4711 (no) de (x) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 50 7 9 20 0 12 0 1000 1000000 2000";
  expect(cpuMicrosecondsOf(line)).toBe(3_000_000);
  expect(cpuMicrosecondsOf("")).toBeUndefined();
});

test("memory is read in bytes, and a missing line is not taken for zero", () => {
  const status = "Name:\tnode\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n";
  expect(memoryBytesOf(status, "VmRSS")).toBe(100 * 1024 * 1024);
  expect(memoryBytesOf(status, "VmHWM")).toBe(200 * 1024 * 1024);
  expect(memoryBytesOf(status, "VmSwap")).toBeUndefined();
});
