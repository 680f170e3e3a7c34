/**
 * Reads the settings of a Python file as data: assignments of plain values to names, at the top or in a class.
 * Pure; the file is never run. Whatever is not a plain value is named as not understood, never guessed at.
 */
import { statementsOf, type Statement, type Token } from "./python-tokens.ts";

export type PythonValue =
  | string
  | number
  | boolean
  | null
  | readonly PythonValue[]
  | ReadonlyMap<string, PythonValue>;

export interface PythonSetting {
  readonly name: string;
  readonly value: PythonValue;
  /** 1-based line of the file. */
  readonly line: number;
}

export interface PythonConfig {
  /** Every name once, with its last value, in the order of their lines. */
  readonly settings: readonly PythonSetting[];
  /** Statements that are no plain assignment. `what` is a name or a keyword, never a value. */
  readonly notUnderstood: readonly { readonly line: number; readonly what: string }[];
}

/** A settings file has some hundred lines; a longer one is not read. Characters. */
export const PYTHON_LENGTH_MAX = 1024 * 1024;
/** Brackets within brackets. */
const DEPTH_MAX = 32;
/** What needs no mention: it sets nothing. */
const SILENT = new Set(["import", "from", "pass"]);

/** Thrown and caught here only. */
class NotPlain extends Error {}

export function readPythonConfig(text: string): PythonConfig {
  const settings = new Map<string, PythonSetting>();
  const notUnderstood: { line: number; what: string }[] = [];
  // Indented statements belong to the one above: those of a class are settings too, others are part of what was named.
  let classIndent = -1;
  let skippedIndent = Number.POSITIVE_INFINITY;
  for (const statement of statementsOf(text)) {
    const { indent, line, tokens } = statement;
    if (indent > skippedIndent) continue;
    skippedIndent = Number.POSITIVE_INFINITY;
    if (indent === 0) classIndent = -1;
    if (isWord(tokens[0], "class")) {
      classIndent = indent;
      continue;
    }
    const isOwn = indent === 0 || classIndent >= 0;
    const setting = isOwn ? settingOf(statement, settings) : undefined;
    if (setting !== undefined) {
      settings.delete(setting.name);
      settings.set(setting.name, setting);
      continue;
    }
    if (endsBlockHead(tokens)) skippedIndent = indent;
    if (!isSilent(tokens)) notUnderstood.push({ line, what: headOf(tokens) });
  }
  return { settings: [...settings.values()], notUnderstood };
}

function settingOf(
  { tokens, line }: Statement,
  known: ReadonlyMap<string, PythonSetting>,
): PythonSetting | undefined {
  const [name] = tokens;
  if (name?.kind !== "name") return undefined;
  const equalsAt = tokens.findIndex((token) => isSign(token, "="));
  const isAnnotated = isSign(tokens[1], ":");
  if (equalsAt !== 1 && !(isAnnotated && equalsAt > 1)) return undefined;
  try {
    const reader = new ValueReader(tokens.slice(equalsAt + 1), known);
    return { name: name.text, value: reader.whole(), line };
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

/** Reads one value: a literal, a sum or product of numbers, or a name that was set above. */
class ValueReader {
  readonly #tokens: readonly Token[];
  readonly #known: ReadonlyMap<string, PythonSetting>;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], known: ReadonlyMap<string, PythonSetting>) {
    this.#tokens = tokens;
    this.#known = known;
  }

  whole(): PythonValue {
    const value = this.#value();
    // `A = 1, 2` is a tuple without brackets.
    const rest = this.#takes(",") ? [value, ...this.#items("")] : undefined;
    if (this.#at < this.#tokens.length) throw new NotPlain();
    return rest ?? value;
  }

  #value(): PythonValue {
    if (this.#depth >= DEPTH_MAX) throw new NotPlain();
    this.#depth += 1;
    let value = this.#product();
    for (;;) {
      if (this.#takes("+")) value = plus(value, this.#product());
      else if (this.#takes("-")) value = numeric(value) - numeric(this.#product());
      else break;
    }
    this.#depth -= 1;
    return value;
  }

  #product(): PythonValue {
    let value = this.#single();
    for (;;) {
      if (this.#takes("*")) value = numeric(value) * numeric(this.#single());
      else if (this.#takes("//")) value = Math.floor(numeric(value) / numeric(this.#single()));
      else if (this.#takes("/")) value = numeric(value) / numeric(this.#single());
      else return value;
    }
  }

  #single(): PythonValue {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    switch (token?.kind) {
      case "number":
        return token.value;
      case "string":
        return token.value + this.#moreStrings();
      case "name":
        return this.#named(token.text);
      case "operator":
        return this.#bracketed(token.text);
      case "other":
      case undefined:
        throw new NotPlain();
    }
  }

  #moreStrings(): string {
    let text = "";
    for (let token = this.#tokens[this.#at]; token?.kind === "string"; token = this.#tokens[this.#at]) {
      text += token.value;
      this.#at += 1;
    }
    return text;
  }

  #named(name: string): PythonValue {
    if (name === "True") return true;
    if (name === "False") return false;
    if (name === "None") return null;
    const known = this.#known.get(name);
    if (known === undefined) throw new NotPlain();
    return known.value;
  }

  #bracketed(sign: string): PythonValue {
    switch (sign) {
      case "-":
        return -numeric(this.#single());
      case "+":
        return numeric(this.#single());
      case "[":
        return this.#items("]");
      case "{":
        return this.#mappingOrSet();
      case "(":
        return this.#group();
      default:
        throw new NotPlain();
    }
  }

  #group(): PythonValue {
    if (this.#takes(")")) return [];
    const value = this.#value();
    if (this.#takes(")")) return value;
    this.#needs(",");
    return [value, ...this.#items(")")];
  }

  /** Up to the closing sign, or the end where there is none. */
  #items(closing: string): PythonValue[] {
    const items: PythonValue[] = [];
    while (closing === "" ? this.#at < this.#tokens.length : !this.#takes(closing)) {
      items.push(this.#value());
      if (this.#takes(",")) continue;
      if (closing !== "") this.#needs(closing);
      break;
    }
    return items;
  }

  #mappingOrSet(): PythonValue {
    const mapping = new Map<string, PythonValue>();
    if (this.#takes("}")) return mapping;
    const first = this.#value();
    if (!this.#takes(":")) {
      if (this.#takes("}")) return [first];
      this.#needs(",");
      return [first, ...this.#items("}")];
    }
    mapping.set(keyText(first), this.#value());
    while (!this.#takes("}")) {
      this.#needs(",");
      if (this.#takes("}")) break;
      const key = keyText(this.#value());
      this.#needs(":");
      mapping.set(key, this.#value());
    }
    return mapping;
  }

  #takes(sign: string): boolean {
    if (!isSign(this.#tokens[this.#at], sign)) return false;
    this.#at += 1;
    return true;
  }

  #needs(sign: string): void {
    if (!this.#takes(sign)) throw new NotPlain();
  }
}

function numeric(value: PythonValue): number {
  if (typeof value !== "number") throw new NotPlain();
  return value;
}

function plus(left: PythonValue, right: PythonValue): PythonValue {
  if (typeof left === "string" && typeof right === "string") return left + right;
  if (Array.isArray(left) && Array.isArray(right))
    return [...(left as PythonValue[]), ...(right as PythonValue[])];
  return numeric(left) + numeric(right);
}

function keyText(key: PythonValue): string {
  if (typeof key === "string" || typeof key === "number") return String(key);
  throw new NotPlain();
}

function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === "operator" && token.text === sign;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "name" && token.text === word;
}

function endsBlockHead(tokens: readonly Token[]): boolean {
  return isSign(tokens.at(-1), ":");
}

/** Imports, and the texts that Python files begin with. */
function isSilent(tokens: readonly Token[]): boolean {
  const [first] = tokens;
  if (first?.kind === "string") return tokens.every(({ kind }) => kind === "string");
  return first?.kind === "name" && SILENT.has(first.text);
}

function headOf([first]: readonly Token[]): string {
  return first?.kind === "name" ? first.text : "a statement";
}
