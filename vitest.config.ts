/** How `pnpm test` runs: every test of the repository, in child processes so that a crash of a thread stays one file's. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Each integration test starts a gateway with threads of its own: more files at once only slow each other down. */
const FILES_AT_ONCE_MAX = 4;

/** Most of a gateway's start is compiling; each of them would, thread by thread. Shared also by programs that tests start. */
const COMPILE_CACHE = fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url));

export default defineConfig({
  test: {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
    include: [
      "scripts/**/*.test.ts",
      "bench/src/**/*.test.ts",
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
    ],
    pool: "forks",
    maxWorkers: Math.min(availableParallelism(), FILES_AT_ONCE_MAX),
    testTimeout: 20_000,
    hookTimeout: 20_000,
    reporters: ["default", "./scripts/closing-line-reporter.ts"],
  },
});
