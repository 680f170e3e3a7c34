/**
 * Cuts the text of a Python file into the tokens of simple assignments. Pure: it reads, nothing of the file is ever run.
 */

export type Token =
  | { readonly kind: "name" | "operator"; readonly text: string; readonly line: number }
  | { readonly kind: "number"; readonly value: number; readonly line: number }
  | { readonly kind: "string"; readonly value: string; readonly line: number }
  /** Something that stands in no simple assignment: an f-string, a sign of its own. */
  | { readonly kind: "other"; readonly line: number };

/** The tokens of one statement, which may go over several lines. */
export interface Statement {
  /** Columns its first line is indented by. */
  readonly indent: number;
  /** 1-based. */
  readonly line: number;
  readonly tokens: readonly Token[];
}

const SPACES_AND_COMMENT = /(?:[ \t\f]|\\\r?\n|#[^\n]*)*/y;
const NUMBER = /(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d+)/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const STRING =
  /([rRbBuUfF]{0,2})("""(?:[^\\]|\\[^])*?"""|'''(?:[^\\]|\\[^])*?'''|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*')/y;
const OPERATOR = /\*\*|\/\/|[-+*/%=()[\]{},:.;<>!@&|^~]/y;
const OPENING = "([{";
const CLOSING = ")]}";
const TAB_COLUMNS = 8;

/** The statements of the text, in order. A line end within brackets ends none. */
export function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  const cursor = new Cursor(text.replaceAll("\r\n", "\n"));
  while (!cursor.isAtEnd) {
    const statement = readStatement(cursor);
    if (statement.tokens.length > 0) statements.push(statement);
  }
  return statements;
}

function readStatement(cursor: Cursor): Statement {
  const indent = columnsOf(cursor.take(/[ \t]*/y)?.[0] ?? "");
  const { line } = cursor;
  const tokens: Token[] = [];
  let depth = 0;
  for (;;) {
    cursor.take(SPACES_AND_COMMENT);
    if (cursor.isAtEnd) break;
    if (cursor.take(/\n/y) !== undefined) {
      if (depth > 0) continue;
      break;
    }
    const token = readToken(cursor);
    if (token.kind === "operator") {
      if (token.text === ";" && depth === 0) break;
      if (OPENING.includes(token.text)) depth += 1;
      if (CLOSING.includes(token.text)) depth = Math.max(0, depth - 1);
    }
    tokens.push(token);
  }
  return { indent, line, tokens };
}

function readToken(cursor: Cursor): Token {
  const { line } = cursor;
  const string = cursor.take(STRING);
  if (string !== undefined) return stringToken(string[1] ?? "", string[2] ?? "", line);
  const number = cursor.take(NUMBER)?.[0];
  if (number !== undefined) return { kind: "number", value: Number(number.replaceAll("_", "")), line };
  const name = cursor.take(NAME)?.[0];
  if (name !== undefined) return { kind: "name", text: name, line };
  const operator = cursor.take(OPERATOR)?.[0];
  if (operator !== undefined) return { kind: "operator", text: operator, line };
  cursor.skip();
  return { kind: "other", line };
}

function stringToken(prefix: string, quoted: string, line: number): Token {
  if (/f/i.test(prefix)) return { kind: "other", line };
  const marks = /^(?:"""|''')/.test(quoted) ? 3 : 1;
  const inner = quoted.slice(marks, -marks);
  return { kind: "string", value: /r/i.test(prefix) ? inner : unescaped(inner), line };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "", 0: "\0" };

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^]))/g,
    (_all, byte: string | undefined, unit: string | undefined, other: string | undefined) =>
      other === undefined
        ? String.fromCharCode(Number.parseInt(byte ?? unit ?? "0", 16))
        : (ESCAPES[other] ?? other),
  );
}

function columnsOf(spaces: string): number {
  const tabs = spaces.split("\t").length - 1;
  return spaces.length + tabs * (TAB_COLUMNS - 1);
}

/** A place in the text that only moves on. */
class Cursor {
  readonly #text: string;
  #at = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** What the sticky pattern matches here, if anything; moves behind it. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#moveBy(match[0].length);
    return match;
  }

  skip(): void {
    this.#moveBy(1);
  }

  #moveBy(length: number): void {
    for (let at = this.#at; at < this.#at + length; at += 1) if (this.#text[at] === "\n") this.line += 1;
    this.#at += length;
  }
}
