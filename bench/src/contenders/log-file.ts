/**
 * The standard output of a contender, in a file as an operator would have it: a pipe to the bench would make the bench
 * read every line while it measures. Runs in the bench's main process.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

export class LogFile implements Disposable {
  readonly descriptor: number;
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, "output.log");
    this.descriptor = openSync(this.#path, "a");
  }

  /** Lines of JSON written until now; what is none, or not yet whole, is left out. */
  entries(): Readonly<Record<string, unknown>>[] {
    return readFileSync(this.#path, "utf8").split("\n").flatMap(parsed);
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }
}

function parsed(line: string): Readonly<Record<string, unknown>>[] {
  if (!line.startsWith("{")) return [];
  try {
    return [JSON.parse(line) as Readonly<Record<string, unknown>>];
  } catch {
    return [];
  }
}
