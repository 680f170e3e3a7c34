/**
 * The language of a key file: keys separated by line ends, spaces, tabs or commas; `#` begins a comment that runs to
 * the end of its line; `# project: NAME` on a line of its own labels the keys below it as one Google project, until the
 * next label, and an empty one ends it.
 * Pure. Nothing the operator wrote may be lost by tidying: a line without any key is kept as it stands.
 */
import { finish, type Steps } from "./steps.ts";
import { refusalOf } from "./token-rules.ts";

/** Longest label; what is beyond is cut off. */
export const LABEL_CHARACTERS_MAX = 128;
/** Refused words listed by {@link parseKeyFile}; further ones are only counted. */
export const REFUSALS_LISTED_MAX = 100;
/** Lines and words looked at in one step, a fraction of a millisecond: a file may well be one long line. */
const ITEMS_PER_STEP = 200;

export interface KeyFileEntry {
  readonly secret: string;
  /** The operator's name of the Google project; absent when the key has no label. */
  readonly project?: string;
  /** Line number, from 1. */
  readonly line: number;
}

export interface Refusal {
  readonly line: number;
  /** Never contains the word refused, unless that is a placeholder. */
  readonly reason: string;
}

export interface ParsedKeyFile {
  /** In the order of the file; the same key may occur twice. */
  readonly entries: readonly KeyFileEntry[];
  /** The first {@link REFUSALS_LISTED_MAX} words that cannot be keys. */
  readonly refused: readonly Refusal[];
  readonly refusedCount: number;
  /** The same file with one key a line, comments in place; ends with a line feed unless empty. */
  readonly tidied: string;
  /** The label in force at the end of the file, which a key appended there would get. */
  readonly lastProject?: string;
}

/** Parses a whole file; see {@link parseKeyFileInSteps} for large ones. Never throws. */
export function parseKeyFile(text: string): ParsedKeyFile {
  return finish(parseKeyFileInSteps(text));
}

/** The same in short steps, for the thread that must answer others meanwhile. */
export function* parseKeyFileInSteps(text: string): Steps<ParsedKeyFile> {
  const entries: KeyFileEntry[] = [];
  const refused: Refusal[] = [];
  const lines: string[] = [];
  let tidied = "";
  let refusedCount = 0;
  let items = 0;
  let line = 0;
  let project: string | undefined;
  for (const source of linesOf(text)) {
    line += 1;
    if (++items % ITEMS_PER_STEP === 0) {
      // Joined as it grows: all lines of a large file at once would be a pause of their own.
      tidied += joinLines(lines.splice(0));
      yield;
    }
    const comment = commentOf(source);
    const keysBefore = entries.length;
    const words: string[] = [];
    for (const word of wordsOf(source)) {
      words.push(word);
      if (++items % ITEMS_PER_STEP === 0) yield;
      const reason = refusalOf(word);
      if (reason === undefined)
        entries.push(project === undefined ? { secret: word, line } : { secret: word, project, line });
      else if (refusedCount++ < REFUSALS_LISTED_MAX) refused.push({ line, reason });
    }
    if (words.length === 0) project = labelAfter(comment, project);
    if (entries.length === keysBefore) lines.push(source.trim());
    else pushOneALine(lines, words, comment);
  }
  const result = { entries, refused, refusedCount, tidied: tidied + joinLines(lines) };
  return project === undefined ? result : { ...result, lastProject: project };
}

/** The file without these keys, comments kept; the lines they stood on are tidied, the others are as they were. */
export function withoutKeys(text: string, secrets: ReadonlySet<string>): string {
  const lines: string[] = [];
  for (const source of linesOf(text)) {
    const words = [...wordsOf(source)];
    const kept = words.filter((word) => !secrets.has(word));
    const comment = commentOf(source);
    if (kept.length === words.length) lines.push(source.trim());
    else if (kept.length > 0) pushOneALine(lines, kept, comment);
    else if (comment !== "") lines.push(standingAlone(comment));
  }
  return joinLines(lines);
}

/** The comment line that begins (or, for undefined, ends) a project's keys. */
export function labelLine(project: string | undefined): string {
  return project === undefined ? "# project:" : `# project: ${project}`;
}

/** The label as the parser would read it back; undefined when nothing of it would remain. */
export function normalLabel(project: string): string | undefined {
  return labelAfter(labelLine(project.replace(/[\r\n]+/g, " ")), undefined);
}

/** Lines end with CRLF, LF or CR; a byte order mark is no part of the first. */
function* linesOf(text: string): Generator<string, void, void> {
  const lineEnd = /\r\n|\n|\r/g;
  let start = text.startsWith("\uFEFF") ? 1 : 0;
  for (let match = lineEnd.exec(text); match !== null; match = lineEnd.exec(text)) {
    yield text.slice(start, match.index);
    start = lineEnd.lastIndex;
  }
  if (start < text.length) yield text.slice(start);
}

/** A line that is one word, as all lines of a tidied file are: without whatever parts words or surrounds them. */
const ONE_WORD = /^[^\s,#"'`]+$/;

/** Keys are often pasted out of a list of strings. Quotes around nothing stay, to be refused and kept. */
function* wordsOf(source: string): Generator<string, void, void> {
  if (ONE_WORD.test(source)) {
    yield source;
    return;
  }
  const commentAt = source.indexOf("#");
  const before = commentAt === -1 ? source : source.slice(0, commentAt);
  for (const [word] of before.matchAll(/[^\s,]+/g)) {
    yield word.replace(/^["'`]+|["'`]+$/g, "") || word;
  }
}

/** From its mark to the end of the line, trimmed; empty when there is none. */
function commentOf(source: string): string {
  const commentAt = source.indexOf("#");
  return commentAt === -1 ? "" : source.slice(commentAt).trim();
}

/** A comment after keys stays with the last of them. */
function pushOneALine(lines: string[], words: readonly string[], comment: string): void {
  const lastIndex = words.length - 1;
  words.forEach((word, index) =>
    lines.push(index === lastIndex && comment !== "" ? `${word} ${comment}` : word),
  );
}

/** A comment whose keys are gone; one that would now be read as a label is kept from that by a second mark. */
function standingAlone(comment: string): string {
  return LABEL.test(comment) ? `# ${comment}` : comment;
}

const LABEL = /^#\s*project\s*:([^#]*)/i;

function labelAfter(comment: string, before: string | undefined): string | undefined {
  const name = LABEL.exec(comment)?.[1];
  if (name === undefined) return before;
  const label = name.trim().slice(0, LABEL_CHARACTERS_MAX).trim();
  return label === "" ? undefined : label;
}

function joinLines(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
