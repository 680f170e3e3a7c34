/** Pools of five projects, of which none sees what another has. */
import { onTestFinished } from "vitest";
import { startPool, type Pool, type PoolOptions } from "./pool.ts";

interface Project {
  readonly name: string;
  readonly keys: string[];
}

/** With one key each it is called `test-key-alpha` and so on, with more `test-key-alpha-1`, `test-key-alpha-2` … */
export function fiveProjects(keysOfEach: number): readonly Project[] {
  return ["alpha", "beta", "gamma", "delta", "epsilon"].map((name) => ({
    name,
    keys: Array.from({ length: keysOfEach }, (_, index) =>
      keysOfEach === 1 ? `test-key-${name}` : `test-key-${name}-${index + 1}`,
    ),
  }));
}

/** Starts a pool that is stopped when the test that asked for it is over. To be called within a test. */
export async function poolOfTest(options: PoolOptions): Promise<Pool> {
  const pool = await startPool(options);
  onTestFinished(() => pool[Symbol.asyncDispose]());
  return pool;
}
