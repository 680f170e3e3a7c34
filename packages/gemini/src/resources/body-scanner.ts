/**
 * Reads what a request's body tells of its way without parsing it, in whatever chunks it comes: one pass over the
 * bytes, in which strings that cannot matter are jumped over. Runs on the HTTP workers, on every body.
 * Finds exactly what parsing the JSON and walking over it would (body-walk.ts), or says that it did not; of bytes that
 * are no JSON it may tell anything. Keeps no bytes but those of keys and strings that a chunk cuts in two.
 */
import { type BodyReading, LOOKS_MAX, type OwnAddress } from "./body-reading.ts";
import { ConversationLead } from "./conversation-lead.ts";
import type { PublicBase } from "./file-address.ts";
import { type CutKind, CutString } from "./cut-string.ts";
import { HeldKeys, LONG_KEY } from "./held-keys.ts";
import {
  elementKey,
  isArrayLevel,
  isOpaqueLevel,
  isRootLevel,
  levelBelow,
  outermostLevel,
  partAt,
  placeIn,
} from "./json-place.ts";
import { keyAt, keyHash } from "./key-table.ts";
import { hasTellingValue, holdsTurns, KEY, type Place } from "./reference-keys.ts";
import { addressNamedAt, isSignature, tellingBytesMax } from "./reference-rules.ts";
import type { Resource } from "./resource-name.ts";
import { BACKSLASH, closingQuote, QUOTE } from "./string-end.ts";
import { TopFields } from "./top-fields.ts";

/** Deepest nesting followed. Google's own parser, that of protobuf, stops at 100. */
const DEPTH_MAX = 512;
/** Most keys with escapes, which no client writes, or cut in two by a chunk: they are slow. */
const UNUSUAL_KEYS_MAX = 100_000;
/** Longest key that is read, bytes; the longest that matters has 23 characters, each escaped 138 bytes. */
const KEY_BYTES_MAX = 256;

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Begins `true`, and `tunedModels/`. */
const LETTER_T = 0x74;

const NONE: readonly never[] = [];

/** The text of the string `bytes[start..end)`; undefined when its escapes are none of JSON's. */
function textBetween(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString("utf8", start, end);
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}

/** Why no more is read: what was found may be void, or the body goes beyond bounds. */
type Halt = "ambiguous" | "beyond";

export class BodyScanner {
  readonly #bases: readonly PublicBase[];
  readonly #lead = new ConversationLead();
  readonly #held = new HeldKeys();
  readonly #cut = new CutString();
  readonly #top = new TopFields();
  /** Undefined until something is found, which in most bodies nothing is. */
  #resources: Map<string, Resource> | undefined;
  #ownAddresses: OwnAddress[] | undefined;
  /** See json-place.ts; at index 0 nothing, so that the index is the depth. */
  readonly #levels: number[] = [0];
  /** Hash of the current key of each open object. */
  readonly #keyHashes: number[] = [0];
  #depth = 0;
  /** That of the innermost. */
  #level = 0;
  /** Meaning of the key whose value comes. */
  #key: number = KEY.none;
  #keyComes = false;
  /** Bytes before the current chunk. */
  #chunkStart = 0;
  #halt: Halt | undefined;
  /** Strings looked at. */
  #looks = 0;
  #unusualKeys = 0;
  #isSigned = false;

  /** @param bases the gateway's own addresses, see file-address.ts. */
  constructor(bases: readonly PublicBase[] = []) {
    this.#bases = bases;
  }

  /** Takes the next bytes; they are not kept. */
  push(chunk: Buffer): void {
    if (this.#halt !== undefined || chunk.length === 0) return;
    this.#run(chunk, this.#cut.kind === "none" ? 0 : this.#goOnWithString(chunk));
    this.#lead.keep(chunk, this.#chunkStart);
    this.#chunkStart += chunk.length;
  }

  /** Of two keys alike one is void, and with it what was found: the body has to be parsed. */
  get isAmbiguous(): boolean {
    return this.#halt === "ambiguous";
  }

  /** What the bytes so far tell; whole once all of them are in. */
  reading(): BodyReading {
    return {
      resources: this.#resources === undefined ? NONE : [...this.#resources.values()],
      isPartial: this.#halt === "beyond",
      isSigned: this.#isSigned,
      model: this.#top.model,
      agent: this.#top.agent,
      stream: this.#top.stream,
      modelSpan: this.#top.modelSpan,
      ownAddresses: this.#ownAddresses ?? NONE,
      lead: this.#lead,
    };
  }

  /** From a place outside of strings to the end of the chunk. */
  #run(chunk: Buffer, from: number): void {
    const length = chunk.length;
    let at = from;
    while (at < length) {
      const byte = chunk[at] as number;
      at += 1;
      if (byte === QUOTE) at = this.#keyComes ? this.#takeKey(chunk, at) : this.#takeString(chunk, at);
      else if (byte === COMMA) this.#keyComes = !isArrayLevel(this.#level);
      else if (byte >= OPEN_BRACKET) this.#takeMark(chunk, byte, at - 1);
      else continue;
      if (this.#halt !== undefined) return;
    }
  }

  /** A bracket, a brace or a letter of a literal. */
  #takeMark(chunk: Buffer, byte: number, at: number): void {
    if (byte === OPEN_BRACE) this.#open(false, at);
    else if (byte === OPEN_BRACKET) this.#open(true, at);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close(chunk, at);
    else if (byte === LETTER_T && this.#key === KEY.stream && this.#depth === 1) this.#top.stream = true;
  }

  #open(isArray: boolean, at: number): void {
    const around = this.#level;
    const key = isArrayLevel(around) ? elementKey(around) : this.#key;
    if (key !== KEY.none && isRootLevel(around)) this.#beginPart(around, key, isArray, at);
    const level = this.#depth === 0 ? outermostLevel(isArray) : levelBelow(around, key, isArray);
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.#halt = "beyond";
    this.#level = level;
    this.#levels[this.#depth] = level;
    this.#keyHashes[this.#depth] = 0;
    this.#key = KEY.none;
    this.#keyComes = !isArray;
  }

  #close(chunk: Buffer, at: number): void {
    if (this.#depth === 0) return;
    this.#held.release(this.#depth);
    this.#depth -= 1;
    this.#level = this.#levels[this.#depth] as number;
    this.#key = KEY.none;
    this.#keyComes = false;
    if (this.#depth === this.#lead.depth) this.#lead.end(chunk, this.#chunkStart, this.#chunkStart + at + 1);
  }

  #beginPart(level: number, key: number, isArray: boolean, at: number): void {
    const part = partAt(level, this.#depth, key, isArray);
    if (part !== undefined) this.#lead.begin(part, this.#depth, this.#chunkStart + at);
  }

  #takeKey(chunk: Buffer, from: number): number {
    const limit = Math.min(chunk.length, from + KEY_BYTES_MAX);
    let hash = 0;
    let at = from;
    for (; at < limit; at += 1) {
      const byte = chunk[at] as number;
      if (byte === QUOTE) {
        this.#endKey(keyAt(hash, chunk, from, at), hash);
        return at + 1;
      }
      if (byte === BACKSLASH) break;
      hash = keyHash(hash, byte);
    }
    const end = closingQuote(chunk, at);
    if (end < 0) return this.#cutString("key", chunk, from, end);
    this.#endUnusualKey(end - from > KEY_BYTES_MAX ? undefined : textBetween(chunk, from, end));
    return end + 1;
  }

  /** A key with escapes, or cut in two, or (undefined) too long to matter. */
  #endUnusualKey(text: string | undefined): void {
    this.#unusualKeys += 1;
    if (this.#unusualKeys > UNUSUAL_KEYS_MAX) this.#halt = "beyond";
    if (text === undefined) return this.#endKey(KEY.none, LONG_KEY);
    const bytes = Buffer.from(text);
    const hash = bytes.reduce(keyHash, 0);
    this.#endKey(keyAt(hash, bytes, 0, bytes.length), hash);
  }

  #endKey(key: number, hash: number): void {
    this.#keyComes = false;
    this.#key = key;
    this.#keyHashes[this.#depth] = hash;
    if (this.#held.comesAgain(hash, this.#depth)) this.#halt = "ambiguous";
    if (key === KEY.none || this.#depth !== 1) return;
    this.#top.beginKey(key);
    if (holdsTurns(key)) this.#lead.beginTurns();
  }

  #takeString(chunk: Buffer, from: number): number {
    const level = this.#level;
    const key = isArrayLevel(level) ? elementKey(level) : this.#key;
    if (key === KEY.none) {
      const end = closingQuote(chunk, from);
      return end < 0 ? this.#cutString("other", chunk, from, end) : end + 1;
    }
    if (isRootLevel(level)) this.#beginPart(level, key, false, from - 1);
    const isTelling = this.#isTelling(key, level, chunk[from]);
    const end = closingQuote(chunk, from);
    if (end < 0) return this.#cutString(isTelling ? "telling" : "other", chunk, from, end);
    if (isTelling) this.#takeRaw(key, chunk, from, end, this.#chunkStart + from);
    if (this.#depth === this.#lead.depth) this.#lead.end(chunk, this.#chunkStart, this.#chunkStart + end + 1);
    return end + 1;
  }

  /** Whether a string here has to be read. */
  #isTelling(key: number, level: number, firstByte: number | undefined): boolean {
    if (!hasTellingValue(key) || isOpaqueLevel(level)) return false;
    // What comes with every turn or request is read only while it can tell something new.
    if (key === KEY.role) return this.#depth === this.#lead.depth + 1;
    if (key === KEY.model)
      return (
        this.#depth === 1 || firstByte === LETTER_T || firstByte === BACKSLASH || firstByte === undefined
      );
    return key !== KEY.thoughtSignature || !this.#isSigned;
  }

  #valueKey(): number {
    return isArrayLevel(this.#level) ? elementKey(this.#level) : this.#key;
  }

  /** The chunk ends within the string that began at `from`. */
  #cutString(kind: CutKind, chunk: Buffer, from: number, why: number): number {
    const bytesMax = kind === "key" ? KEY_BYTES_MAX : tellingBytesMax(this.#valueKey());
    this.#cut.begin(kind, this.#chunkStart + from, chunk.subarray(from), why, bytesMax);
    return chunk.length;
  }

  #goOnWithString(chunk: Buffer): number {
    const end = closingQuote(chunk, this.#cut.resumeAt);
    if (end < 0) {
      this.#cut.goOn(chunk, end);
      return chunk.length;
    }
    const { kind, start } = this.#cut;
    const raw = this.#cut.end(chunk.subarray(0, end));
    if (kind === "key") {
      this.#endUnusualKey(raw === undefined ? undefined : textBetween(raw, 0, raw.length));
      return end + 1;
    }
    if (kind === "telling" && raw !== undefined) this.#takeRaw(this.#valueKey(), raw, 0, raw.length, start);
    else if (kind === "telling")
      this.#takeText(placeIn(this.#level, this.#valueKey()), undefined, start, start);
    if (this.#depth === this.#lead.depth) this.#lead.end(chunk, this.#chunkStart, this.#chunkStart + end + 1);
    return end + 1;
  }

  /** Takes a string that has to be read: `bytes[from..end)`, which stands at `start` in the body. */
  #takeRaw(key: number, bytes: Buffer, from: number, end: number, start: number): void {
    if (key === KEY.role) {
      this.#lead.takeRole(bytes, from, end);
      return;
    }
    const text = end - from > tellingBytesMax(key) ? undefined : textBetween(bytes, from, end);
    this.#takeText(placeIn(this.#level, key), text, start, start + end - from);
  }

  /** @param text undefined when it is too long to name anything. */
  #takeText(place: Place, text: string | undefined, start: number, end: number): void {
    this.#looks += 1;
    if (this.#looks > LOOKS_MAX) this.#halt = "beyond";
    if (isSignature(place, text)) this.#noteSignature();
    if (text === undefined) return;
    if (this.#depth === 1) this.#top.takeText(place.key, text, start, end);
    const address = addressNamedAt(place, text, this.#bases);
    if (address === undefined) return;
    this.#held.hold(this.#keyHashes, this.#depth);
    this.#keepResource(address.resource);
    if (address.ownBase === undefined) return;
    this.#ownAddresses ??= [];
    this.#ownAddresses.push({ start, end, text, base: address.ownBase });
  }

  #keepResource(resource: Resource): void {
    this.#resources ??= new Map();
    if (!this.#resources.has(resource.root)) this.#resources.set(resource.root, resource);
  }

  #noteSignature(): void {
    if (!this.#isSigned) this.#held.hold(this.#keyHashes, this.#depth);
    this.#isSigned = true;
  }
}
