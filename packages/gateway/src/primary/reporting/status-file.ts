/**
 * The status file: adds a report to it now and then and keeps it within its size. Primary thread.
 * A new version is written beside the file and renamed over it, so that a reader, a full disk or a death in the middle
 * meets the old one or the new, whole. What cannot be written costs a warning, never a request.
 */
import { open, realpath, rename, stat, unlink } from "node:fs/promises";
import type { Logger } from "pino";
import { systemCodeOf } from "../../control/operator-error.ts";
import type { RunningStatus } from "../../control/types.ts";
import { statusLines, trimToSize } from "./status-lines.ts";

export interface StatusFileOptions {
  readonly path: string;
  /** Time between reports and largest size of the file; asked for each time. */
  readonly settings: () => { readonly intervalMs: number; readonly fileSizeBytes: number };
  readonly report: () => Promise<RunningStatus>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Anyone may read it, as far as the process's umask allows: it holds no secret. */
const FILE_MODE = 0o666;

export class StatusFile implements AsyncDisposable {
  readonly #options: StatusFileOptions;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;
  #hasEnded = false;

  constructor(options: StatusFileOptions) {
    this.#options = options;
  }

  /** Writes the first report now and the next ones as time passes. */
  start(): void {
    this.#writing = this.#write();
    this.reschedule();
  }

  /** Counts the time to the next report from now, by the interval that holds now. */
  reschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), this.#options.settings().intervalMs);
    this.#timer.unref();
  }

  /** Finishes the report it is writing. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#hasEnded = true;
    await this.#writing;
  }

  /** One report after the other, also on a disk slower than the interval. */
  #next(): void {
    void this.#writing.then(() => {
      if (!this.#hasEnded) this.start();
    });
  }

  async #write(): Promise<void> {
    const { path, settings, report, log, now } = this.#options;
    const bytesMax = settings().fileSizeBytes;
    try {
      const target = await realpath(path).catch(() => path);
      const text = Buffer.from(statusLines(await report(), now()));
      await replace(target, trimToSize(Buffer.concat([await endOf(target, bytesMax), text]), bytesMax));
      this.#hasFailed = false;
    } catch (error) {
      // Once, not every half hour: an operator who wants no file there has been told.
      if (!this.#hasFailed)
        log.warn({ path, code: systemCodeOf(error) }, "the status file cannot be written");
      this.#hasFailed = true;
    }
  }
}

/** The last `bytesMax` bytes of the file; nothing when there is none. */
async function endOf(path: string, bytesMax: number): Promise<Buffer> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const length = Math.min(size, bytesMax);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** One name for the temporary file: what a dead process left is overwritten by the next report. */
async function replace(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeWhole(temporary, bytes, await modeOf(path));
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeWhole(path: string, bytes: Buffer, mode: number | undefined): Promise<void> {
  await using file = await open(path, "w", FILE_MODE);
  if (mode !== undefined) await file.chmod(mode);
  await file.writeFile(bytes);
  await file.sync();
}

/** Permissions of the file there is; undefined when there is none. */
async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch {
    return undefined;
  }
}
