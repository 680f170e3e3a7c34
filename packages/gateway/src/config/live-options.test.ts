import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENTRIES } from "./entries.ts";

const SOURCE = join(import.meta.dirname, "..");
/** Those that read a value while the gateway runs. */
const READERS = ["primary", "worker", "limits", "prober"];

const text = READERS.flatMap((folder) =>
  readdirSync(join(SOURCE, folder), { recursive: true, encoding: "utf8" }).map((name) =>
    join(SOURCE, folder, name),
  ),
)
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
  .map((path) => readFileSync(path, "utf8"))
  .join("\n");

/** Taken over as a whole section: `rests`, read by the scheduler under its own names. */
const WHOLE_SECTIONS = new Set(["rest"]);

test.each(
  ENTRIES.filter(({ option }) => option.reload === "live").map((entry) => [entry.path, entry] as const),
)("%s is read while the gateway runs", (_path, { resolvedPath }) => {
  const [section = "", name = section] = resolvedPath;
  const reader = WHOLE_SECTIONS.has(section) ? section : name;
  expect(text).toMatch(new RegExp(`[.{,]\\s*${reader}\\b`));
});
