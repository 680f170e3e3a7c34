/**
 * Loaded into the gateway with `node --import`: how long the longest turn of the primary's event loop is. On SIGUSR2 it
 * writes that to the file named by BENCH_LOOP_TURNS and begins anew. Runs in the gateway's primary thread, beside its own
 * work; the other threads load it too and leave it alone.
 */
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import type { LoopTurns } from "../processes/loop-turns-file.ts";

/** Between two looks; a turn is longer than it looks by at most this. Milliseconds. */
const TICK_MS = 2;

function watch(path: string): void {
  let longest = { wallMs: 0, cpuMs: 0 };
  let last = now();
  setInterval(() => {
    const current = now();
    longest = {
      wallMs: Math.max(longest.wallMs, current.wallMs - last.wallMs - TICK_MS),
      cpuMs: Math.max(longest.cpuMs, current.cpuMs - last.cpuMs),
    };
    last = current;
  }, TICK_MS).unref();
  process.on("SIGUSR2", () => {
    writeFileSync(path, JSON.stringify(longest satisfies LoopTurns));
    longest = { wallMs: 0, cpuMs: 0 };
  });
}

function now(): LoopTurns {
  const { user, system } = process.threadCpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
}

const path = process.env["BENCH_LOOP_TURNS"];
if (isMainThread && path !== undefined) watch(path);
