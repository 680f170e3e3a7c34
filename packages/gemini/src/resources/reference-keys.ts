/**
 * The keys of a request's JSON that matter: which name resources, which tell what a name below them means, and below
 * which lies the caller's own data, where the same keys mean nothing. In both spellings of protobuf's JSON.
 * Pure; runs on the HTTP workers. The scanner and the walk share these rules: neither may have one of its own.
 *
 * Sources: request builders and typings of @google/genai 3.1.0 (native, Live, Interactions), the wire recordings of
 * openai 7, @ai-sdk/google 4 and @google/generative-ai.
 */

/** What a key means; 0 is any key that does not matter. */
export const KEY = {
  none: 0,
  cachedContent: 1,
  fileUri: 2,
  storeNames: 3,
  previousInteraction: 4,
  continuationToken: 5,
  fileName: 6,
  inputFileId: 7,
  fileId: 8,
  url: 9,
  agent: 10,
  environment: 11,
  environmentId: 12,
  credential: 13,
  model: 14,
  handle: 15,
  voice: 16,
  thoughtSignature: 17,
  signature: 18,
  role: 19,
  baseAgent: 20,
  stream: 21,
  contents: 22,
  input: 23,
  systemInstruction: 24,
  inputConfig: 25,
  sessionResumption: 26,
  file: 27,
  imageUrl: 28,
  interaction: 29,
  opaque: 30,
  opaqueObject: 31,
} as const;

/** Below this number a string value is looked at. */
const FIRST_WITHOUT_VALUE = KEY.stream;

/** Spellings of each key that matters. A camelCase one stands for its snake_case too. */
const SPELLINGS: readonly (readonly [id: number, camelCase: readonly string[]])[] = [
  [KEY.cachedContent, ["cachedContent"]],
  // `uri`: content of Interactions, and the video that Veo goes on from.
  [KEY.fileUri, ["fileUri", "uri"]],
  [KEY.storeNames, ["fileSearchStoreNames"]],
  [KEY.previousInteraction, ["previousInteractionId"]],
  [KEY.continuationToken, ["continuationToken"]],
  [KEY.fileName, ["fileName", "sourceFile"]],
  [KEY.inputFileId, ["inputFileId"]],
  [KEY.fileId, ["fileId"]],
  [KEY.url, ["url"]],
  [KEY.agent, ["agent"]],
  [KEY.baseAgent, ["baseAgent"]],
  [KEY.environment, ["environment", "baseEnvironment"]],
  [KEY.environmentId, ["environmentId", "fromEnvironment"]],
  [KEY.credential, ["credential"]],
  [KEY.model, ["model"]],
  [KEY.handle, ["handle"]],
  [KEY.voice, ["voice", "baseVoice", "voiceName"]],
  [KEY.thoughtSignature, ["thoughtSignature"]],
  [KEY.signature, ["signature"]],
  [KEY.role, ["role"]],
  [KEY.stream, ["stream"]],
  [KEY.contents, ["contents", "messages"]],
  [KEY.input, ["input"]],
  [KEY.systemInstruction, ["systemInstruction"]],
  [KEY.inputConfig, ["inputConfig"]],
  [KEY.sessionResumption, ["sessionResumption"]],
  [KEY.file, ["file"]],
  [KEY.imageUrl, ["imageUrl"]],
  [KEY.interaction, ["interaction"]],
  // Arguments of calls, schemas, labels: the caller's own, whatever they look like.
  [KEY.opaque, ["args", "arguments", "parameters", "parametersJsonSchema", "responseSchema"]],
  [KEY.opaque, ["responseJsonSchema", "responseFormat", "labels", "metadata", "customMetadata"]],
  // A function's result: an object is the caller's own, a list may be of content with files (Interactions).
  [KEY.opaqueObject, ["response", "result"]],
];

function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Every spelling that matters with its meaning. */
export const KEY_BY_SPELLING: ReadonlyMap<string, number> = new Map(
  SPELLINGS.flatMap(([id, names]) =>
    names.flatMap((name): [string, number][] => [
      [name, id],
      [snakeCase(name), id],
    ]),
  ),
);

/** Whether a string under this key has to be looked at. */
export function hasTellingValue(key: number): boolean {
  return key !== KEY.none && key < FIRST_WITHOUT_VALUE;
}

/** Whether what lies below a value of this key is the caller's own data. */
export function isOpaque(key: number, isObject: boolean): boolean {
  return key === KEY.opaque || (key === KEY.opaqueObject && isObject);
}

/** Keys at the top of a body below which the conversation stands. */
export function holdsTurns(key: number): boolean {
  return key === KEY.contents || key === KEY.input;
}

/** Where a string stands: under which key, in an object under which key, and whether that object is the whole body. */
export interface Place {
  readonly key: number;
  readonly parent: number;
  readonly atRoot: boolean;
  /** Inside the `input` of an interaction. */
  readonly inInput: boolean;
}
