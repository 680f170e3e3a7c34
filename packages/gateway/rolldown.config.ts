/**
 * How the published package is built: its TypeScript as JavaScript for Node, one file for each source file. core and
 * gemini are written into `dist`; what package.json lists under "dependencies" stays an import, installed beside it.
 */
import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { defineConfig, type Plugin } from "rolldown";

const FOLDER = import.meta.dirname;
const SOURCE = join(FOLDER, "src");

/** A thread's entry named by its URL. */
const FILE_URL = /new URL\(\s*"(\.[^"]+)\.ts",\s*import\.meta\.url,?\s*\)/g;

/** Our own manifest, from any depth. */
const MANIFEST = /^(\.\.\/)+package\.json$/;

/** Any other way to name a source file at run time; it would be missing from the built package. */
const SOURCE_NAME = /["'`]\.{1,2}\/[^"'`]*\.ts["'`]/;

/**
 * Builds each file another names as `new URL("./….ts", import.meta.url)`, as a thread's entry is, and points the name
 * at the JavaScript. Files keep their places under `dist`, so the rest of the path stays true.
 */
const threadEntries: Plugin = {
  name: "thread-entries",
  async transform(code, id) {
    for (const [, path] of code.matchAll(FILE_URL)) {
      const entry = await this.resolve(`${path}.ts`, id);
      if (entry === null) throw new Error(`${id} names ${path}.ts, which does not exist`);
      this.emitFile({ type: "chunk", id: entry.id });
    }
    return code.replaceAll(FILE_URL, 'new URL("$1.js", import.meta.url)');
  },
  renderChunk(code, chunk) {
    const left = SOURCE_NAME.exec(code);
    if (left !== null)
      throw new Error(`${chunk.fileName} names ${left[0]}; write new URL("./….ts", import.meta.url)`);
    return null;
  },
};

/** Refuses what a user's `npm install` would not bring: an import that is no declared dependency. */
const declaredOnly: Plugin = {
  name: "declared-only",
  resolveId(specifier, importer) {
    // The manifest travels beside dist as it does beside src: it is read there, not copied.
    if (MANIFEST.test(specifier)) return { id: specifier, external: true };
    const isOwn =
      importer === undefined || specifier.startsWith(".") || specifier.startsWith("@gemini-gateway/");
    if (isOwn) return null;
    if (
      specifier.startsWith("node:") ||
      dependencies.some((name) => `${specifier}/`.startsWith(`${name}/`))
    ) {
      return { id: specifier, external: true };
    }
    throw new Error(
      `${importer} imports "${specifier}", which is not among the dependencies of gemini-gateway`,
    );
  },
};

/** Where a source file's JavaScript goes under `dist`: the gateway's own at the root, `core/` and `gemini/` beside it. */
function builtName(sourcePath: string): string {
  const [packageName = "", , ...path] = relative(join(FOLDER, ".."), sourcePath).split(sep);
  const folder = packageName === "gateway" ? [] : [packageName];
  return [...folder, ...path].join("/").replace(/\.ts$/, ".js");
}

const manifest: unknown = JSON.parse(readFileSync(join(FOLDER, "package.json"), "utf8"));
const dependencies = Object.keys(
  (manifest as { readonly dependencies: Record<string, string> }).dependencies,
);

export default defineConfig({
  input: { cli: join(SOURCE, "cli.ts") },
  platform: "node",
  plugins: [declaredOnly, threadEntries],
  output: {
    dir: join(FOLDER, "dist"),
    format: "esm",
    cleanDir: true,
    preserveModules: true,
    preserveModulesRoot: SOURCE,
    entryFileNames: ({ facadeModuleId, name }) =>
      facadeModuleId === null ? `${name}.js` : builtName(facadeModuleId),
  },
});
