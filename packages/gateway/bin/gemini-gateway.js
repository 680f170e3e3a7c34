#!/usr/bin/env node
/**
 * Starts the command line: from its TypeScript in a checkout, from the built JavaScript in the published package, which
 * has no `src`. Plain enough for any Node to parse, so that one too old is told so.
 */
import { existsSync } from "node:fs";

/** Runs TypeScript without a build and shares a port between threads; see "engines" in package.json. */
const NODE_MAJOR_MIN = 24;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  console.error(`gemini-gateway needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.version}.`);
  process.exitCode = 1;
} else {
  const source = new URL("../src/cli.ts", import.meta.url);
  const program = existsSync(source) ? source : new URL("../dist/cli.js", import.meta.url);
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
}
