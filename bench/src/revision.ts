/**
 * Another revision of this repository in a folder of its own, ready to run: its files from git, and the packages it was made
 * for, which are linked from this checkout where both have the same, and installed where not. Nothing of the checkout is
 * changed. Runs in the bench's main process.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const INSTALL_MS_MAX = 180_000;
/** A whole tree of sources, bytes. */
const ARCHIVE_BYTES_MAX = 512 * 1024 * 1024;

export interface CheckedOutRevision {
  /** As given, shortened to its id. */
  readonly revision: string;
  readonly program: string;
  /** What makes the comparison doubtful, if anything. */
  readonly warning: string | undefined;
}

/** Writes the revision into the folder. Throws with what git says when there is none. */
export function checkOutRevision(revision: string, folder: string): CheckedOutRevision {
  // Behind `--end-of-options` nothing is taken for an option.
  const id = git(["rev-parse", "--verify", "--short", "--end-of-options", `${revision}^{commit}`])
    .toString()
    .trim();
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, "tree.tar");
  writeFileSync(archive, git(["archive", "--format=tar", id]));
  const unpacked = spawnSync("tar", ["-xf", archive, "-C", folder]);
  if (unpacked.status !== 0)
    throw new Error(`tar could not unpack ${id}: ${unpacked.stderr.toString().trim()}`);
  const lock = git(["diff", "--name-only", id, "--", "pnpm-lock.yaml"]).toString().trim();
  const isInstalled = lock !== "" && installDependencies(folder);
  if (!isInstalled) {
    for (const name of readdirSync(join(folder, "packages")))
      linkDependencies(join("packages", name), folder);
  }
  return {
    revision: id,
    program: join(folder, "packages", "gateway", "bin", "gemini-gateway.js"),
    warning:
      lock === "" || isInstalled
        ? undefined
        : `${id} was made for other versions of its dependencies, which could not be installed; it runs with those of this tree.`,
  };
}

/** Installs what the revision's own lock file says; false where that fails, as without a network. */
function installDependencies(folder: string): boolean {
  const installed = spawnSync(
    "npx",
    ["--yes", "pnpm@12", "install", "--frozen-lockfile", "--prefer-offline"],
    { cwd: folder, timeout: INSTALL_MS_MAX },
  );
  return installed.status === 0;
}

/** Links what one package of the checkout depends on; packages of the workspace are those of the revision. */
function linkDependencies(packagePath: string, folder: string): void {
  const installed = join(ROOT, packagePath, "node_modules");
  if (!existsSync(installed)) return;
  for (const name of namesIn(installed)) {
    const target = realpathSync(join(installed, name));
    const own = relative(ROOT, target);
    const isOfWorkspace = !own.startsWith("..") && !own.split(sep).includes("node_modules");
    const link = join(folder, packagePath, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(isOfWorkspace ? join(folder, own) : target, link);
  }
}

/** `undici`, `@gemini-gateway/core` … */
function namesIn(modules: string): string[] {
  return readdirSync(modules).flatMap((name) => {
    if (name.startsWith(".")) return [];
    return name.startsWith("@")
      ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
      : [name];
  });
}

function git(args: readonly string[]): Buffer {
  const { status, stdout, stderr, error } = spawnSync("git", args, {
    cwd: ROOT,
    maxBuffer: ARCHIVE_BYTES_MAX,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`git: ${stderr.toString().trim()}`);
  return stdout;
}
