/**
 * Writes the configuration file of an import: whole or not at all, readable by its owner only, since it may hold secrets.
 * Command line.
 */
import { randomUUID } from "node:crypto";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { ConfigError } from "../../config/config-error.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { OperatorError } from "../../control/operator-error.ts";
import { systemReason } from "../../system-reason.ts";
import { PRIVATE_FILE_MODE } from "../store/private-file.ts";
import type { TakenSetting } from "./map-settings.ts";

const HEAD = "# Taken over from an earlier installation by `gemini-gateway import`.\n";

/** Written beside its place; it goes there with `keep`, else it is gone when disposed. */
export interface StagedFile extends Disposable {
  keep(): void;
}

/**
 * @throws ConfigError when a file is there that may not be replaced, or the options do not go together; OperatorError when
 *   it cannot be written
 */
export function stageConfigFile(
  path: string,
  settings: readonly TakenSetting[],
  { isForced, isDryRun }: { readonly isForced: boolean; readonly isDryRun: boolean },
): StagedFile {
  if (settings.length === 0) return { keep: nothing, [Symbol.dispose]: nothing };
  if (existsSync(path) && !isForced) {
    throw new ConfigError(
      `${path} exists already: name another file with --write, or replace it with --force`,
    );
  }
  const text = HEAD + stringify(treeOf(settings));
  // Each value is acceptable alone; together they must be, too.
  resolveConfig({ argv: { config: path }, env: {}, readFile: () => text, cores: 1 });
  if (isDryRun) return { keep: nothing, [Symbol.dispose]: nothing };
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: PRIVATE_FILE_MODE, flag: "wx", flush: true });
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new OperatorError("bad-request", `${path} cannot be written ${systemReason(error)}.`, {
      cause: error,
    });
  }
  return {
    keep: () => renameSync(temporary, path),
    [Symbol.dispose]: () => rmSync(temporary, { force: true }),
  };
}

function treeOf(settings: readonly TakenSetting[]): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const { option, value } of settings) {
    const [first = "", second] = option.split(".");
    if (second === undefined) tree[first] = value;
    else tree[first] = { ...(tree[first] as object | undefined), [second]: value };
  }
  return tree;
}

function nothing(): void {
  // There is no file.
}
