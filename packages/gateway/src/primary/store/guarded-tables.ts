/**
 * Tables that stay the same while the database below them is exchanged, and that tell of every failure.
 * Primary thread. They add nothing to what a table does.
 */
import type { Tables } from "./tables.ts";

export interface TableGuard {
  /** The tables of the database there is now. */
  readonly current: () => Tables;
  /** Hears every error before the caller does. */
  readonly failed: (error: unknown) => void;
}

type Method = (...args: readonly unknown[]) => unknown;
type Methods = Readonly<Record<string, Method>>;

/** @param model tables of any database: their names and methods are taken over */
export function guardedTables(model: Tables, guard: TableGuard): Tables {
  const names = Object.keys(model) as (keyof Tables)[];
  return Object.fromEntries(
    names.map((name) => [name, guardedTable(model, name, guard)]),
  ) as unknown as Tables;
}

function guardedTable(model: Tables, table: keyof Tables, { current, failed }: TableGuard): Methods {
  const method =
    (name: string): Method =>
    (...args) => {
      // A table is an object of functions, and every database has the same ones.
      const run = (current()[table] as unknown as Methods)[name] as Method;
      return guarded(() => run(...args), failed);
    };
  return Object.fromEntries(Object.keys(model[table]).map((name) => [name, method(name)]));
}

function guarded(run: () => unknown, failed: (error: unknown) => void): unknown {
  try {
    const result = run();
    return isPages(result) ? guardedPages(result, failed) : result;
  } catch (error) {
    failed(error);
    throw error;
  }
}

/** Pages are read when they are asked for, which is when that may fail. */
function* guardedPages(pages: Generator, failed: (error: unknown) => void): Generator {
  try {
    yield* pages;
  } catch (error) {
    failed(error);
    throw error;
  }
}

function isPages(result: unknown): result is Generator {
  return typeof result === "object" && result !== null && Symbol.iterator in result && "next" in result;
}
