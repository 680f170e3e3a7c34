#!/usr/bin/env node
/**
 * Starts the command line: from its TypeScript in a checkout, from the built JavaScript in the published package, which
 * has no `src`. Plain enough for any Node to parse, so that one too old is told so.
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import nodeModule from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Runs TypeScript without a build and shares a port between threads; see "engines" in package.json. */
const NODE_MAJOR_MIN = 24;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  console.error(`gemini-gateway needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.version}.`);
  process.exitCode = 1;
} else {
  keepCompiledCode();
  const source = new URL("../src/cli.ts", import.meta.url);
  const program = existsSync(source) ? source : new URL("../dist/cli.js", import.meta.url);
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
}

/**
 * Lets Node keep the code it compiles, types stripped, for the next start: that one takes half the time. In the user's
 * own cache folder, not in Node's default, the temporary folder that all users of a machine write to: code is run from
 * here. NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE=1 does without.
 */
function keepCompiledCode() {
  if (process.env.NODE_COMPILE_CACHE || process.env.NODE_DISABLE_COMPILE_CACHE) return;
  const folder = ownCacheFolder();
  if (folder === undefined) return;
  const { status } = nodeModule.enableCompileCache(folder);
  // Each thread has to be told.
  if (status === nodeModule.constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = folder;
}

/** Undefined without a home, and where others may write: `sudo` may leave root with the home of somebody else. */
function ownCacheFolder() {
  const { XDG_CACHE_HOME: named } = process.env;
  try {
    const caches = named && isAbsolute(named) ? named : join(homedir(), ".cache");
    if (!isAbsolute(caches)) return undefined;
    const folder = join(caches, "gemini-gateway");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    // Windows has neither, and a home that is the user's alone.
    const isOwn = process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0);
    return isOwn ? folder : undefined;
  } catch {
    return undefined;
  }
}
