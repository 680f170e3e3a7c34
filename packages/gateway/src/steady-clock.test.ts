import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { SteadyClock } from "./steady-clock.ts";

const HOUR_MS = 3_600_000;

it.each([HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS])(
  "goes on evenly when the wall clock jumps by %i ms, and tells its lead",
  (jumpMs) => {
    const time = { wallMs: 1_700_000_000_000, monotonicMs: 5_000 };
    const clock = new SteadyClock({ wallMs: () => time.wallMs, monotonicMs: () => time.monotonicMs });
    expect(clock.now()).toBe(1_700_000_000_000);
    time.monotonicMs += 200;
    time.wallMs += 200 + jumpMs;
    expect(clock.now()).toBe(1_700_000_000_200);
    expect(clock.wallLeadMs).toBe(jumpMs);
  },
);

it("tells whole milliseconds, as they are stored, logged and printed", () => {
  const time = { monotonicMs: 5_000.25 };
  const clock = new SteadyClock({ wallMs: () => 1_700_000_000_000, monotonicMs: () => time.monotonicMs });
  time.monotonicMs += 12.875;
  expect(clock.now()).toBe(1_700_000_000_012);
});

it("reads the same in a thread that started later, whenever that was", async () => {
  const clock = new SteadyClock();
  const source = `
    import { parentPort, workerData } from "node:worker_threads";
    const { steadyNow } = await import(workerData.module);
    parentPort.postMessage(steadyNow(workerData.anchor)());`;
  const module = new URL("./steady-clock.ts", import.meta.url).href;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { anchor: clock.anchor, module },
  });
  const beforeMs = clock.now();
  const [thereMs] = (await once(worker, "message")) as [number];
  expect(thereMs).toBeGreaterThanOrEqual(beforeMs);
  expect(thereMs).toBeLessThanOrEqual(clock.now());
  await worker.terminate();
});
