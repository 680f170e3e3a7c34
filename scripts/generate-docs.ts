/**
 * Writes what is generated from the configuration schema: docs/configuration.md and docs/config.schema.json; and
 * docs/import.md from the table of the import.
 * With `--check` it writes nothing and exits with 1 when a file is not as it would be written.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { SCHEMA } from "../packages/gateway/src/config.ts";
import { ENTRIES } from "../packages/gateway/src/config/entries.ts";
import { jsonSchemaOf } from "../packages/gateway/src/config/json-schema.ts";
import { referenceOf } from "../packages/gateway/src/config/reference.ts";
import { importReferenceOf } from "../packages/gateway/src/primary/import/reference.ts";
import { MEANINGS } from "../packages/gateway/src/primary/import/setting-names.ts";

const DOCS = new URL("../docs/", import.meta.url);

const FILES: Readonly<Record<string, string>> = {
  "configuration.md": referenceOf(ENTRIES),
  "import.md": importReferenceOf(MEANINGS),
  "config.schema.json": printJson(jsonSchemaOf(SCHEMA)),
};

/** JSON as the formatter of this repository leaves it: lists of texts on one line (none is longer than that). */
function printJson(value: unknown): string {
  const listOfTexts = /\[\s+("[^"\n]*"(?:,\s+"[^"\n]*")*)\s+\]/g;
  const text = JSON.stringify(value, undefined, 2);
  return `${text.replace(listOfTexts, (_list, items: string) => `[${items.replace(/,\s+/g, ", ")}]`)}\n`;
}

function writeAll(): void {
  mkdirSync(DOCS, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(new URL(name, DOCS), text);
}

/** Names of the files that differ from what would be written. */
function staleFiles(): string[] {
  return Object.entries(FILES).flatMap(([name, text]) => (read(name) === text ? [] : [name]));
}

function read(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, DOCS), "utf8");
  } catch {
    // A missing file is a stale one.
    return undefined;
  }
}

if (process.argv.includes("--check")) {
  const stale = staleFiles();
  if (stale.length > 0) {
    console.error(
      `Out of date: ${stale.map((name) => `docs/${name}`).join(", ")}. Run: node scripts/generate-docs.ts`,
    );
    process.exitCode = 1;
  }
} else {
  writeAll();
}
