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
  return cuts.map((part) => Math.floor(part * length)).sort((a, b) => a - b);
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
  return { roots: roots(reading).sort(), isSigned, model, agent, stream };
}

const KEYS = [
  ..."contents parts fileData fileUri file_uri cachedContent cached_content tools fileSearch args text".split(
    " ",
  ),
  ..."fileSearchStoreNames file_search_store_names previous_interaction_id inputConfig file_name fileName".split(
    " ",
  ),
  ..."response result input uri url image_url file file_id input_file_id model agent stream environment".split(
    " ",
  ),
  ..."environment_id sessionResumption handle continuationToken thoughtSignature signature role voice".split(
    " ",
  ),
  ..."interaction messages systemInstruction credential metadata a fileUr fileUri2 __proto__".split(" "),
];
const TEXTS = [
  ...[
    "files/f1",
    `${GOOGLE}/v1beta/files/f2`,
    `${OWN}/v1beta/files/f3`,
    "https://example.com/v1beta/files/no",
  ],
  ...[
    "cachedContents/c1",
    "fileSearchStores/s1",
    "v1_abc",
    "tunedModels/t1",
    "remote",
    "voice_1",
    "user",
    "system",
  ],
  ...[
    '"fileUri":"files/no"',
    '{"cachedContent":"cachedContents/no"}',
    "\\",
    '\\"',
    "ä€😀\u2028",
    "",
    "a/b",
    "true",
  ],
  ..."skip_thought_signature_validator files/ /files/f1 models/m/operations/o batches/b1:cancel".split(" "),
];

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
function spelled(value: string, escapes: readonly boolean[]): string {
  let json = "";
  for (let index = 0; index < value.length; index += 1) {
    const plain = JSON.stringify(value.charAt(index)).slice(1, -1);
    const hex = value.charCodeAt(index).toString(16).padStart(4, "0");
    json += escapes[index % escapes.length] === true ? `\\u${hex}` : plain;
  }
  return `"${json}"`;
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
        if (scanner.doubt !== undefined) {
          expect(scanner.doubt).toBe("duplicate-key");
          return;
        }
        decided += 1;
        expect(told(scanner.reading())).toEqual(told(walkBody(body, [OWN])));
      }),
      { numRuns: 4000 },
    );
    expect(decided).toBeGreaterThan(2000);
  });

  it("tells the same of the conversation and of positions, whatever the chunks", () => {
    fc.assert(
      fc.property(document, cutsOf, (source, cuts) => {
        const body = Buffer.from(source);
        const whole = scanInPieces(body, []);
        const pieces = scanInPieces(body, cuts);
        expect(pieces.doubt).toBe(whole.doubt);
        if (whole.doubt !== undefined) return;
        const [one, other] = [whole.reading(), pieces.reading()];
        expect(other.lead?.key("m")).toBe(one.lead?.key("m"));
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
    expect(scanner.doubt).toBe("duplicate-key");
    expect(roots(readBody(body))).toEqual(["files/last"]);
    const harmless = Buffer.from('{"a":{},"a":{"fileUri":"files/last"},"model":"x","model":"y"}');
    const second = new BodyScanner();
    second.push(harmless);
    expect(second.doubt).toBeUndefined();
    expect(second.reading()).toMatchObject({ model: "y", modelSpan: undefined });
    expect(roots(second.reading())).toEqual(["files/last"]);
  });

  it("leaves a long key that comes again to the parser", () => {
    const long = "k".repeat(300);
    const scanner = new BodyScanner();
    scanner.push(Buffer.from(`{"${long}":{"fileUri":"files/a"},"${long}":1}`));
    expect(scanner.doubt).toBe("duplicate-key");
    const escaped = new BodyScanner();
    escaped.push(Buffer.from(`{"${"\\u006b".repeat(50)}":{"fileUri":"files/a"},"${"k".repeat(50)}":1}`));
    expect(escaped.doubt).toBe("duplicate-key");
  });

  it("stops at absurd nesting and at too many resources", () => {
    const deep = Buffer.from(`${'{"a":'.repeat(600)}{"fileUri":"files/deep"}${"}".repeat(600)}`);
    const scanner = new BodyScanner();
    scanner.push(deep);
    expect(scanner.doubt).toBe("deep");
    expect(roots(readBody(deep))).toEqual(["files/deep"]);
    const many = json(Array.from({ length: 300 }, (_, index) => ({ fileUri: `files/f${index}` })));
    const other = new BodyScanner();
    other.push(many);
    expect(other.doubt).toBe("too-many");
    expect(roots(readBody(many))).toHaveLength(300);
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

describe("references of a request", () => {
  it.each<[string, unknown, string[]]>([
    [
      "fileData",
      { contents: [{ parts: [{ fileData: { fileUri: `${GOOGLE}/v1beta/files/f1` } }] }] },
      ["files/f1"],
    ],
    ["file_data", { contents: [{ parts: [{ file_data: { file_uri: "files/f1" } }] }] }, ["files/f1"]],
    [
      "own origin",
      { contents: [{ parts: [{ fileData: { fileUri: `${OWN}/v1beta/files/f1` } }] }] },
      ["files/f1"],
    ],
    ["cachedContent", { cachedContent: "cachedContents/c1", contents: [] }, ["cachedContents/c1"]],
    [
      "count of a cache",
      { generateContentRequest: { cached_content: "cachedContents/c1" } },
      ["cachedContents/c1"],
    ],
    [
      "file search",
      { tools: [{ fileSearch: { fileSearchStoreNames: ["fileSearchStores/a", "fileSearchStores/b"] } }] },
      ["fileSearchStores/a", "fileSearchStores/b"],
    ],
    [
      "file search of an interaction",
      { tools: [{ type: "file_search", file_search_store_names: ["fileSearchStores/a"] }] },
      ["fileSearchStores/a"],
    ],
    ["batch of a file", { batch: { inputConfig: { fileName: "files/f1" } } }, ["files/f1"]],
    ["batch of embeddings", { batch: { inputConfig: { file_name: "files/f1" } } }, ["files/f1"]],
    ["import into a store", { fileName: "files/f1" }, ["files/f1"]],
    ["compatible batch", { input_file_id: "files/f1", endpoint: "/v1/chat/completions" }, ["files/f1"]],
    ["compatible batch, OpenAI's id", { input_file_id: "file-1" }, ["files/file-1"]],
    [
      "compatible file part",
      { messages: [{ content: [{ type: "file", file: { file_id: "files/f1" } }] }] },
      ["files/f1"],
    ],
    ["next turn", { model: "m", input: "hi", previous_interaction_id: "v1_abc" }, ["interactions/v1_abc"]],
    [
      "content of an interaction",
      { input: [{ type: "audio", uri: `${GOOGLE}/v1beta/files/f1` }] },
      ["files/f1"],
    ],
    [
      "content of a function's result",
      { input: [{ type: "function_result", result: [{ type: "image", uri: "files/f1" }] }] },
      ["files/f1"],
    ],
    [
      "agent",
      { agent: "customer-sentinel", input: "x", environment: "env_1" },
      ["agents/customer-sentinel", "environments/env_1"],
    ],
    [
      "new environment",
      { agent: "a", environment: { type: "remote", environment_id: "e1" } },
      ["agents/a", "environments/e1"],
    ],
    [
      "trigger",
      { schedule: "* * * * *", interaction: { agent: "a" }, environment_id: "e" },
      ["agents/a", "environments/e"],
    ],
    ["tuned model", { model: "tunedModels/t1" }, ["tunedModels/t1"]],
    [
      "stored voice",
      { generationConfig: { speechConfig: { voiceConfig: { voice: "voice_1" } } } },
      ["voices/voice_1"],
    ],
    [
      "video to go on from",
      { instances: [{ video: { uri: `${GOOGLE}/v1beta/files/v:download?alt=media` } }] },
      ["files/v"],
    ],
    [
      "environment's snapshot",
      { input: [{ type: "document", uri: "files/environment-e1" }] },
      ["environments/e1"],
    ],
  ])("%s", (_name, body, expected) => {
    expect(roots(readBody(json(body), [OWN]))).toEqual(expected);
    expect(roots(walkBody(json(body), [OWN]))).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ["arguments of a call", { contents: [{ parts: [{ functionCall: { args: { fileUri: "files/no" } } }] }] }],
    [
      "a function's result",
      { contents: [{ parts: [{ functionResponse: { response: { fileUri: "files/no" } } }] }] },
    ],
    [
      "a schema",
      { generationConfig: { responseSchema: { example: { cachedContent: "cachedContents/no" } } } },
    ],
    ["text that looks like JSON", { contents: [{ parts: [{ text: '{"fileUri":"files/no"}' }] }] }],
    [
      "a stranger's URL",
      { contents: [{ parts: [{ fileData: { fileUri: "https://example.com/v1beta/files/no" } }] }] },
    ],
    ["a file's own name", { contents: [{ parts: [{ text: "x", fileName: "files/no" }] }] }],
    ["a browser of computer use", { tools: [{ computerUse: { environment: "ENVIRONMENT_BROWSER" } }] }],
    ["a fresh sandbox", { input: "x", environment: "remote" }],
    ["inline data", { input: [{ type: "image", uri: `data:image/png;base64,${"A".repeat(9000)}` }] }],
    ["a prebuilt voice", { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Puck" } } } }],
  ])("none in %s", (_name, body) => {
    expect(readBody(json(body)).resources).toEqual([]);
  });

  it("names tokens by digest, never by themselves", () => {
    const body = json({
      setup: { sessionResumption: { handle: "secret-handle" } },
      continuationToken: "secret-token",
    });
    const { resources } = readBody(body);
    expect(resources.map(({ kind }) => kind)).toEqual(["live-handle", "continuation"]);
    expect(JSON.stringify(resources)).not.toContain("secret");
    expect(roots(readBody(json({ continuation_token: "secret-token" })))).toEqual([resources[1]?.root]);
  });
});

describe("signatures", () => {
  it.each<[string, unknown, boolean]>([
    ["native", { contents: [{ parts: [{ text: "x", thoughtSignature: "c2ln" }] }] }, true],
    [
      "compatible",
      { messages: [{ tool_calls: [{ extra_content: { google: { thought_signature: "c2ln" } } }] }] },
      true,
    ],
    ["Interactions", { input: [{ type: "thought", signature: "c2ln" }] }, true],
    [
      "a stand-in",
      { contents: [{ parts: [{ thoughtSignature: "skip_thought_signature_validator" }] }] },
      false,
    ],
    ["a voice's consent", { speechConfig: { voiceConsentSignature: { signature: "c2ln" } } }, false],
    ["an empty one", { contents: [{ parts: [{ thoughtSignature: "" }] }] }, false],
    [
      "arguments",
      { contents: [{ parts: [{ functionCall: { args: { thoughtSignature: "c2ln" } } }] }] },
      false,
    ],
  ])("%s", (_name, body, expected) => {
    expect(readBody(json(body)).isSigned).toBe(expected);
    expect(walkBody(json(body)).isSigned).toBe(expected);
  });
});

describe("the conversation's key", () => {
  const key = (body: unknown, model = "m"): string | undefined => readBody(json(body)).lead?.key(model);
  const user = (said: string): unknown => ({ role: "user", parts: [{ text: said }] });
  const reply = { role: "model", parts: [{ text: "well" }] };

  it("stays while the conversation grows", () => {
    const first = { systemInstruction: { parts: [{ text: "s" }] }, contents: [user("hello")] };
    const later = {
      contents: [user("hello"), reply, user("and?")],
      systemInstruction: { parts: [{ text: "s" }] },
    };
    expect(key(first)).toMatch(/^[\da-f]{16}$/);
    expect(key(later)).toBe(key(first));
    expect(readBody(json(later)).lead?.turnCount).toBe(3);
  });

  it("differs by model, system instruction and first turn", () => {
    const keys = [
      key({ contents: [user("hello")] }),
      key({ contents: [user("hello")] }, "other"),
      key({ contents: [user("hallo")] }),
      key({ contents: [user("hello")], systemInstruction: "s" }),
      key({ contents: [user("x".repeat(5000))] }),
      key({ contents: [user("x".repeat(5001))] }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("counts what is said to the model before the user speaks", () => {
    const chat = (system: string, said: string, ...more: unknown[]): unknown => ({
      model: "m",
      messages: [{ content: system, role: "system" }, { role: "user", content: said }, ...more],
    });
    expect(key(chat("s", "a", { role: "assistant", content: "b" }))).toBe(key(chat("s", "a")));
    expect(key(chat("s", "a"))).not.toBe(key(chat("s", "b")));
    expect(key(chat("s", "a"))).not.toBe(key(chat("t", "a")));
  });

  it("is none without turns", () => {
    expect(key({ model: "m" })).toBeUndefined();
    expect(key({ instances: [{ prompt: "x" }] })).toBeUndefined();
  });
});
