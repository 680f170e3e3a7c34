import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BodyReading } from "./body-reading.ts";
import { BodyScanner } from "./body-scanner.ts";
import { walkBody } from "./body-walk.ts";
import { readBody } from "./read-body.ts";

const GOOGLE = "https://generativelanguage.googleapis.com";
const OWN = "http://127.0.0.1:8080/gw";

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function roots({ resources }: Pick<BodyReading, "resources">): string[] {
  return resources.map(({ root }) => root);
}

function placesOf(cuts: Cuts, length: number): number[] {
  if (typeof cuts === "number")
    return Array.from({ length: Math.floor(length / cuts) }, (_, index) => index * cuts);
  return cuts.map((part) => Math.floor(part * length)).toSorted((a, b) => a - b);
}

function scanInPieces(body: Buffer, cuts: Cuts): BodyScanner {
  const scanner = new BodyScanner([OWN]);
  let from = 0;
  for (const cut of [...placesOf(cuts, body.length), body.length]) {
    // A copy that is wiped afterwards: nothing of a chunk may be kept.
    const piece = Buffer.from(body.subarray(from, cut));
    scanner.push(piece);
    piece.fill(0x2a);
    from = cut;
  }
  return scanner;
}

/** Everything but what only the scanner looks for. */
function told(reading: BodyReading): unknown {
  const { isSigned, model, agent, stream } = reading;
  return { roots: roots(reading).toSorted(), isSigned, model, agent, stream };
}

const KEYS =
  `contents parts fileData fileUri file_uri cachedContent cached_content tools fileSearch args text model agent
   fileSearchStoreNames file_search_store_names previous_interaction_id inputConfig file_name fileName stream role
   response result input uri url image_url file file_id input_file_id environment environment_id credential handle
   sessionResumption continuationToken thoughtSignature signature voice interaction messages systemInstruction
   metadata a fileUr fileUri2 __proto__`.split(/\s+/);
const NAMES =
  `files/f1 ${GOOGLE}/v1beta/files/f2 ${OWN}/v1beta/files/f3 https://example.com/v1beta/files/no cachedContents/c1
   fileSearchStores/s1 v1_abc tunedModels/t1 remote voice_1 user system skip_thought_signature_validator files/
   /files/f1 models/m/operations/o batches/b1:cancel a/b true`.split(/\s+/);
const LOOK_ALIKES = [
  '"fileUri":"files/no"',
  '{"cachedContent":"cachedContents/no"}',
  "\\",
  '\\"',
  "ä€😀\u2028",
  "",
];
const TEXTS = [...NAMES, ...LOOK_ALIKES];

/** Where to cut a body, as parts of it: a few places, or after every so many bytes. */
type Cuts = readonly number[] | number;
const cutsOf = fc.oneof(
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
  fc.integer({ min: 1, max: 9 }),
);

const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: "grapheme", maxLength: 80 }));
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 300 }) },
);

/** How a text may be spelled in JSON: plainly, or with any of its UTF-16 units escaped. */
function spelled(value: string, mask: readonly boolean[]): string {
  let spelling = "";
  for (let index = 0; index < value.length; index += 1) {
    const plain = JSON.stringify(value.charAt(index)).slice(1, -1);
    const hex = value.charCodeAt(index).toString(16).padStart(4, "0");
    spelling += mask[index % mask.length] === true ? `\\u${hex}` : plain;
  }
  return `"${spelling}"`;
}

const escapes = fc.oneof(fc.constant([false]), fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }));
const space = fc.constantFrom("", "", " ", "\r\n\t");
const jsonString = fc.tuple(text, escapes).map(([value, mask]) => spelled(value, mask));
const jsonKey = fc.tuple(key, escapes).map(([value, mask]) => spelled(value, mask));

/** Texts of JSON with any spacing, escapes, nesting, and keys that come more than once. */
const { document } = fc.letrec<{ document: string; value: string; object: string; array: string }>((tie) => ({
  document: fc.oneof({ weight: 5, arbitrary: tie("object") }, { weight: 1, arbitrary: tie("value") }),
  value: fc.oneof(
    { depthSize: "medium" },
    jsonString,
    fc.constantFrom("true", "false", "null", "-1.5e3", "0"),
    tie("object"),
    tie("array"),
  ),
  object: fc
    .array(fc.tuple(jsonKey, space, tie("value"), space), { maxLength: 6 })
    .map(
      (pairs) =>
        `{${pairs.map(([name, gap, value, after]) => `${name}${gap}:${gap}${value}${after}`).join(",")}}`,
    ),
  array: fc
    .array(fc.tuple(tie("value"), space), { maxLength: 4 })
    .map((all) => `[${all.map((one) => one.join("")).join(",")}]`),
}));

describe("the scanner", () => {
  it("finds what parsing and walking finds, whatever the chunks", () => {
    let decided = 0;
    fc.assert(
      fc.property(document, cutsOf, (source, cuts) => {
        const body = Buffer.from(source);
        const scanner = scanInPieces(body, cuts);
        if (scanner.isAmbiguous) return;
        decided += 1;
        expect(told(scanner.reading())).toEqual(told(walkBody(body, [OWN])));
      }),
      { numRuns: 2000 },
    );
    expect(decided).toBeGreaterThan(1000);
  });

  it("tells the same of the conversation and of positions, whatever the chunks", () => {
    fc.assert(
      fc.property(document, cutsOf, (source, cuts) => {
        const body = Buffer.from(source);
        const whole = scanInPieces(body, []);
        const pieces = scanInPieces(body, cuts);
        expect(pieces.isAmbiguous).toBe(whole.isAmbiguous);
        if (whole.isAmbiguous) return;
        const [one, other] = [whole.reading(), pieces.reading()];
        expect(other.lead?.key("m")).toEqual(one.lead?.key("m"));
        expect(other.lead?.turnCount).toBe(one.lead?.turnCount);
        expect([other.modelSpan, other.ownAddresses]).toEqual([one.modelSpan, one.ownAddresses]);
        for (const { start, end, text: own } of one.ownAddresses ?? [])
          expect(JSON.parse(`"${body.toString("utf8", start, end)}"`)).toBe(own);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes the last of two keys alike, or leaves it to the parser", () => {
    const body = Buffer.from(
      '{"fileData":{"fileUri":"files/first"},"file\\u0044ata":{"fileUri":"files/last"}}',
    );
    const scanner = new BodyScanner();
    scanner.push(body);
    expect(scanner.isAmbiguous).toBe(true);
    expect(roots(readBody(body))).toEqual(["files/last"]);
    const harmless = Buffer.from('{"a":{},"a":{"fileUri":"files/last"},"model":"x","model":"y"}');
    const second = new BodyScanner();
    second.push(harmless);
    expect(second.isAmbiguous).toBe(false);
    expect(second.reading()).toMatchObject({ model: "y", modelSpan: undefined });
    expect(roots(second.reading())).toEqual(["files/last"]);
  });

  it("leaves a long key that comes again to the parser", () => {
    const long = "k".repeat(300);
    const scanner = new BodyScanner();
    scanner.push(Buffer.from(`{"${long}":{"fileUri":"files/a"},"${long}":1}`));
    expect(scanner.isAmbiguous).toBe(true);
    const escaped = new BodyScanner();
    escaped.push(Buffer.from(`{"${"\\u006b".repeat(50)}":{"fileUri":"files/a"},"${"k".repeat(50)}":1}`));
    expect(escaped.isAmbiguous).toBe(true);
  });

  it.each([
    [
      "absurd nesting",
      `{"fileUri":"files/a","b":${'{"a":'.repeat(600)}{"fileUri":"files/z"}${"}".repeat(601)}`,
    ],
    ["too many strings", JSON.stringify(Array.from({ length: 70_000 }, () => ({ fileUri: "files/a" })))],
    ["too many escaped keys", `{"fileUri":"files/a","b":{${'"\\u0061":1,'.repeat(100_001)}"b":1}}`],
  ])("stops at %s, and says so", (_name, source) => {
    const reading = readBody(Buffer.from(source));
    expect(roots(reading)).toEqual(["files/a"]);
    expect(reading.isPartial).toBe(true);
    expect(walkBody(Buffer.from('{"fileUri":"files/a"}')).isPartial).toBe(false);
  });

  it("never throws on bytes that are no JSON", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => readBody(Buffer.from(bytes))).not.toThrow();
      }),
    );
    expect(() => readBody(Buffer.from(']}}{"fileUri":"\\x'))).not.toThrow();
  });

  it("jumps over megabytes of inline data and still sees what follows", () => {
    const data = "A".repeat(3_000_000);
    const body = json({
      contents: [
        {
          parts: [
            { inlineData: { data } },
            { text: `\\"${data}\\\\` },
            { fileData: { fileUri: "files/after" } },
          ],
        },
      ],
    });
    expect(roots(readBody(body))).toEqual(["files/after"]);
  });
});
