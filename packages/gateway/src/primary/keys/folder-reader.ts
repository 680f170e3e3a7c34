/**
 * Reads the folder of keys again and again: remembers what each file said, and judges which of them can be believed.
 * Primary thread. Must never let a file that is unreadable, half-written or just gone take keys out of the pool.
 *
 * A file is believed by how long it has held still:
 * | unchanged for | its keys | keys no longer in it | tidied |
 * | less than {@link SETTLE_MS} | those on complete lines | stay | no |
 * | less than {@link REMOVAL_SETTLE_MS} | all | stay | no |
 * | longer, or written by ourselves | all | go | yes |
 */
import type { Logger } from "pino";
import { systemCodeOf } from "../../control/operator-error.ts";
import { type FoundEntry, packEntries, type SecretBook } from "./packed-entries.ts";
import { type ParsedKeyFile, parseKeyFileInSteps } from "./key-file.ts";
import {
  type KeyFileContent,
  type ListedFile,
  type ListedFolder,
  listKeyFiles,
  readKeyFile,
} from "./key-folder.ts";
import type { FileEntries } from "./plan-sync.ts";
import { replaceFile } from "./replace-file.ts";
import { restingPlace, runInSteps } from "./steps.ts";

/** A file unchanged for this long has a last line that is whole. Milliseconds. */
export const SETTLE_MS = 500;
/** A file, or its absence, unchanged for this long may take keys away. Milliseconds. */
export const REMOVAL_SETTLE_MS = 2_000;
/** Refusals shown in one line of the log. */
const REFUSALS_LOGGED_MAX = 10;

/** The folder at one moment. */
export interface FolderView {
  readonly files: readonly FileEntries[];
  /** True while the keys recorded under this file must stay, found or not. */
  readonly isInDoubt: (sourceFile: string | null) => boolean;
  /** How long until something in doubt has settled, milliseconds; ask after the last `isInDoubt`. */
  readonly lookAgainInMs: () => number | undefined;
  /** Another folder at the same path has another identity. */
  readonly identity: string;
}

interface FileMemory {
  /** What was read; undefined when nothing could be. */
  readonly stamp: string | undefined;
  /** False when only the operator can mend it: looking again soon would not help. */
  readonly isUsable: boolean;
  /** When this stamp was first seen, by our clock: a file's own time may lie in the future. */
  readonly firstSeenAtMs: number;
  /** Read after it had settled, or written by ourselves: nothing more is to be learnt from this stamp. */
  readonly isFinal: boolean;
  readonly entries: Iterable<FoundEntry>;
  /** The text that was read and what it says, until nothing more is to be learnt from it: read again, it is the same. */
  readonly read?: { readonly text: string; readonly parsed: ParsedKeyFile };
}

export interface FolderReaderOptions {
  readonly keysDir: string;
  readonly log: Logger;
  /** Defaults to {@link SETTLE_MS}. */
  readonly settleMs?: number | undefined;
  /** Defaults to {@link REMOVAL_SETTLE_MS}. */
  readonly removalSettleMs?: number | undefined;
  /** Keys that are in memory already: what is remembered of files uses the same text. */
  readonly known: SecretBook;
}

export class FolderReader {
  readonly #keysDir: string;
  readonly #known: SecretBook;
  readonly #log: Logger;
  readonly #settleMs: number;
  readonly #removalSettleMs: number;
  #memories: ReadonlyMap<string, FileMemory> = new Map();
  /** Files that are recorded as the source of keys but missing: since when, as far as we saw. */
  readonly #goneSinceMs = new Map<string, number>();

  constructor(options: FolderReaderOptions) {
    this.#keysDir = options.keysDir;
    this.#known = options.known;
    this.#log = options.log;
    this.#settleMs = options.settleMs ?? SETTLE_MS;
    this.#removalSettleMs = options.removalSettleMs ?? REMOVAL_SETTLE_MS;
  }

  /**
   * Reads what changed since the last time, and tidies files that have settled.
   * @param trusted names of files the gateway itself has just replaced as a whole: believed at once
   * @throws OperatorError `key-files` when the folder cannot be read: then nothing is known of any key
   */
  async read(nowMs: number, trusted: ReadonlySet<string>, signal: AbortSignal): Promise<FolderView> {
    const folder = await listKeyFiles(this.#keysDir);
    const memories = new Map<string, FileMemory>();
    const stillForMs = new Map<string, number>();
    for (const file of folder.files) {
      const before = this.#memories.get(file.name);
      const stillMs = trusted.has(file.name) ? Infinity : unchangedForMs(file, before, nowMs);
      stillForMs.set(file.name, stillMs);
      memories.set(file.name, await this.#recall(file, { before, stillMs, nowMs, signal }));
    }
    this.#memories = memories;
    return this.#view(folder, stillForMs, nowMs);
  }

  async #recall(
    file: ListedFile,
    known: { before: FileMemory | undefined; stillMs: number; nowMs: number; signal: AbortSignal },
  ): Promise<FileMemory> {
    const { before, stillMs, nowMs, signal } = known;
    const isSame = before !== undefined && before.stamp === file.stamp;
    if (isSame && before.isFinal) return before;
    const firstSeenAtMs = isSame ? before.firstSeenAtMs : nowMs;

    const rest = restingPlace();
    const content = await readKeyFile(file.path);
    await rest();
    if (content.kind !== "text") {
      const problem = problemOf(file, content);
      if (problem !== undefined)
        this.#log.warn({ file: file.name, problem }, "key file not usable; its known keys stay");
      const entries = before?.entries ?? [];
      return { stamp: undefined, isUsable: problem === undefined, firstSeenAtMs, isFinal: false, entries };
    }
    const isAsListed = content.stamp === file.stamp;
    const text = isAsListed && stillMs >= this.#settleMs ? content.text : completeLines(content.text);
    const parsed =
      before?.read?.text === text
        ? before.read.parsed
        : await runInSteps(parseKeyFileInSteps(text), { signal });
    const isFinal = isAsListed && stillMs >= this.#removalSettleMs;
    const memory = { stamp: content.stamp, isUsable: true, firstSeenAtMs, isFinal };
    if (!isFinal) return { ...memory, entries: parsed.entries, read: { text, parsed } };
    const needsTidying = content.isUtf8 && parsed.tidied !== content.text;
    const stamp = needsTidying ? await this.#tidy(file, parsed.tidied, content.stamp) : content.stamp;
    // Refusals name lines of the file as the operator will find it: tidying moves them.
    const isMoved = stamp !== content.stamp && parsed.refusedCount > 0;
    const found = isMoved ? await runInSteps(parseKeyFileInSteps(parsed.tidied), { signal }) : parsed;
    this.#reportRefusals(file.name, found);
    // Megabytes were compared: what follows begins in a turn of its own.
    await rest();
    const entries = await runInSteps(packEntries(parsed.entries, this.#known), { signal });
    return { ...memory, stamp, entries };
  }

  /** The stamp of the tidied file, or the one it has when it must stay as it is. */
  async #tidy(file: ListedFile, tidied: string, stamp: string): Promise<string> {
    try {
      const result = await replaceFile(file.path, tidied, stamp);
      if (result.kind !== "replaced") return stamp;
      this.#log.info({ file: file.name }, "key file tidied: one key a line");
      return result.stamp;
    } catch (error) {
      this.#log.warn(
        { file: file.name, code: systemCodeOf(error) },
        "key file could not be tidied; used as it is",
      );
      return stamp;
    }
  }

  #reportRefusals(file: string, { refused, refusedCount }: ParsedKeyFile): void {
    if (refusedCount === 0) return;
    const refusals = refused.slice(0, REFUSALS_LOGGED_MAX);
    this.#log.warn({ file, refusals, refusedCount }, "words in a key file that cannot be keys");
  }

  #view(folder: ListedFolder, stillForMs: ReadonlyMap<string, number>, nowMs: number): FolderView {
    for (const name of stillForMs.keys()) this.#goneSinceMs.delete(name);
    let lookAgainInMs = Infinity;
    const verdicts = new Map<string, boolean>();
    const judge = (name: string): boolean => {
      const memory = this.#memories.get(name);
      if (memory?.isFinal === true) return false;
      const isGone = memory === undefined;
      const stillMs = stillForMs.get(name) ?? this.#goneForMs(name, folder, nowMs);
      if (isGone && stillMs >= this.#removalSettleMs) return false;
      if (isGone || memory.isUsable) lookAgainInMs = Math.min(lookAgainInMs, this.#untilSettledMs(stillMs));
      return true;
    };
    const isInDoubt = (name: string | null): boolean => {
      if (name === null) return false;
      const verdict = verdicts.get(name) ?? judge(name);
      verdicts.set(name, verdict);
      return verdict;
    };
    for (const name of stillForMs.keys()) isInDoubt(name);
    return {
      files: folder.files.map(({ name }) => ({ name, entries: this.#memories.get(name)?.entries ?? [] })),
      isInDoubt,
      lookAgainInMs: () => (lookAgainInMs === Infinity ? undefined : lookAgainInMs),
      identity: folder.identity,
    };
  }

  /** A name may be missing for a moment, between an editor's delete and its write. */
  #goneForMs(name: string, folder: ListedFolder, nowMs: number): number {
    const sinceMs = this.#goneSinceMs.get(name) ?? nowMs;
    const goneMs = Math.max(nowMs - folder.changedAtMs, nowMs - sinceMs);
    if (goneMs >= this.#removalSettleMs) this.#goneSinceMs.delete(name);
    else this.#goneSinceMs.set(name, sinceMs);
    return goneMs;
  }

  /** A file that has settled, yet is in doubt, moved under our hands: look again soon. */
  #untilSettledMs(stillMs: number): number {
    if (stillMs >= this.#removalSettleMs) return this.#settleMs;
    return (stillMs < this.#settleMs ? this.#settleMs : this.#removalSettleMs) - Math.max(0, stillMs);
  }
}

/** What only the operator can mend; undefined for a file that just came, went or moved. */
function problemOf(file: ListedFile, content: KeyFileContent): string | undefined {
  if (content.kind === "unusable") return content.problem;
  return file.stamp === undefined ? "cannot be looked at: a link that leads nowhere?" : undefined;
}

/** How long a file has been as it is: by its own time or, should that lie ahead, by when we first saw it so. */
function unchangedForMs(file: ListedFile, before: FileMemory | undefined, nowMs: number): number {
  const seenForMs = before !== undefined && before.stamp === file.stamp ? nowMs - before.firstSeenAtMs : 0;
  return Math.max(nowMs - file.changedAtMs, seenForMs);
}

/** Without a last line that has no end yet. */
function completeLines(text: string): string {
  return text.slice(0, Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1);
}
