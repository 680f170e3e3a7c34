/**
 * What the emulated model says to a prompt, before any dialect: a lazy row of chunks. Pure.
 * The text names the project and repeats the prompt, so that a test sees who served it; no two chunks carry the same
 * text, so that a doubled or lost one shows; all chunks joined are the unary answer.
 */
import type { AnswerFault } from "./fault-rules.ts";
import { shapeFor } from "./models.ts";
import type { Model } from "./models.ts";
import { tokensIn } from "./prompt.ts";
import type { Prompt, ToolDeclaration } from "./prompt.ts";
import { sealed } from "./resources/sealed-text.ts";
import { sampleOf } from "./schema-sample.ts";

/** A file that the model made, by its address. */
export interface FileData {
  readonly mimeType: string;
  readonly fileUri: string;
}

export interface Part {
  readonly text?: string;
  readonly thought?: true;
  readonly thoughtSignature?: string;
  readonly functionCall?: { readonly name: string; readonly args: unknown };
  readonly fileData?: FileData;
}

/** One event's worth. No `parts`: a candidate whose content has none. */
export interface Chunk {
  readonly parts: readonly Part[] | undefined;
  readonly finishReason: string | undefined;
  /** With finish reason `CONTINUATION`: what to send to get the rest. */
  readonly continuationToken?: string;
}

export interface Usage {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly thoughtsTokens: number;
  /** Of the prompt's tokens those that were cached. */
  readonly cachedTokens?: number;
}

export interface Answer {
  /** `blocked` has a verdict and no candidates; `missing` has neither. */
  readonly kind: "candidates" | "blocked" | "missing";
  readonly responseId: string;
  /** The resolved model. */
  readonly modelVersion: string;
  /** At least 1. */
  readonly chunkCount: number;
  readonly intervalMs: number;
  /** Chunk of an index below `chunkCount`. */
  chunk(index: number): Chunk;
  /** Tokens used up to and including a chunk. */
  usageAt(index: number): Usage;
}

export interface AnswerFacts {
  readonly prompt: Prompt;
  readonly projectName: string;
  readonly model: Model;
  readonly responseId: string;
  readonly fault: AnswerFault | undefined;
  /** Tokens of the prompt that were cached, explicitly or not. Default 0. */
  readonly cachedTokens?: number;
  /** Which part this is of an answer that comes in several requests. */
  readonly part?: number | undefined;
  /** Set when this is not the last part. */
  readonly continuationToken?: string | undefined;
  /** Made with the answer, and named in it behind the text. */
  readonly files?: readonly FileData[];
}

/** Longest piece of the prompt that is repeated, characters. */
const ECHO_CHARACTERS_MAX = 200;
/** A thinking model given no more than this answers without parts, as recorded. */
const THINKING_TOKENS_MIN = 5;
const THOUGHT: Part = { text: "I think about what was said.", thought: true };
const THOUGHT_TOKENS = 7;
/** Base64, as real ones are; what is inside names the project, so that a foreign one is recognised when it comes back. */
function signatureOf({ projectName, responseId }: AnswerFacts): string {
  const token = sealed("thoughtSignature", projectName, responseId);
  return Buffer.from(token, "base64url").toString("base64");
}

/** The answer to a prompt, with the fault of its content if a rule asks for one. */
export function answerTo(facts: AnswerFacts): Answer {
  const answer = wholeAnswer(facts);
  const { cachedTokens = 0, continuationToken } = facts;
  const paid: Answer =
    cachedTokens === 0
      ? answer
      : { ...answer, usageAt: (index) => ({ ...answer.usageAt(index), cachedTokens }) };
  return continuationToken === undefined ? paid : unfinished(paid, continuationToken);
}

/** The answer as it looks when the model ran into the limit of one request. */
function unfinished(answer: Answer, continuationToken: string): Answer {
  const chunk = (index: number): Chunk => {
    const whole = answer.chunk(index);
    return index < answer.chunkCount - 1
      ? whole
      : { ...whole, finishReason: "CONTINUATION", continuationToken };
  };
  return { ...answer, chunk };
}

function wholeAnswer(facts: AnswerFacts): Answer {
  const { prompt, fault } = facts;
  if (fault !== undefined) return faultyAnswer(facts, fault);
  const tool = toolToCall(prompt);
  if (tool !== undefined) return callAnswer(facts, tool);
  const budget = prompt.outputTokensMax;
  if (budget !== undefined && facts.model.thinking && budget <= THINKING_TOKENS_MIN) {
    return singleAnswer(facts, { parts: undefined, finishReason: "MAX_TOKENS" }, budget);
  }
  return textAnswer(facts);
}

/** The declared function that is forced, or that the prompt names after the word "call". */
function toolToCall(prompt: Prompt): ToolDeclaration | undefined {
  if (prompt.toolResult !== undefined) return undefined;
  if (prompt.mustCall) return prompt.tools[0];
  const named = /\bcall ([\w.-]+)/i.exec(prompt.text)?.[1];
  return prompt.tools.find((tool) => tool.name === named);
}

function callAnswer(facts: AnswerFacts, tool: ToolDeclaration): Answer {
  const args = sampleOf({ type: "object", ...tool.parameters }, tool.name);
  const part: Part = { functionCall: { name: tool.name, args }, thoughtSignature: signatureOf(facts) };
  return singleAnswer(facts, { parts: [part], finishReason: "STOP" }, 0);
}

/** What the model would say when nothing cuts it short. */
function sentenceFor({ prompt, projectName, part }: AnswerFacts): string {
  if (part !== undefined) return `Part ${part} from project ${projectName}. `;
  if (prompt.jsonSchema !== undefined) return JSON.stringify(sampleOf(prompt.jsonSchema, projectName));
  if (prompt.toolResult !== undefined)
    return `Project ${projectName} got the tool's answer: ${prompt.toolResult}`;
  return `Hello from project ${projectName}: you said ${JSON.stringify(prompt.text.slice(0, ECHO_CHARACTERS_MAX))}`;
}

function textAnswer(facts: AnswerFacts): Answer {
  const { prompt, model, files = [] } = facts;
  const fileParts = files.map((fileData): Part => ({ fileData }));
  const shape = shapeFor(prompt.text, model.shape);
  const sentence = sentenceFor(facts);
  const budget = (prompt.outputTokensMax ?? Infinity) * 4;
  const isCut = budget < sentence.length;
  const pieces = isCut ? { count: 1, at: () => sentence.slice(0, budget) } : piecesOf(sentence, shape);
  const thoughts = prompt.includeThoughts ? 1 : 0;
  const last = pieces.count + thoughts - 1;
  // What was thought is signed at the end of the text.
  const textPart = (index: number): Part => {
    const text = pieces.at(index - thoughts);
    return thoughts > 0 && index === last ? { text, thoughtSignature: signatureOf(facts) } : { text };
  };
  return {
    ...headOf(facts),
    chunkCount: last + 1,
    intervalMs: shape.intervalMs,
    chunk: (index) => ({
      parts: [index < thoughts ? THOUGHT : textPart(index), ...(index === last ? fileParts : [])],
      finishReason: index < last ? undefined : isCut ? "MAX_TOKENS" : "STOP",
    }),
    usageAt: (index) => ({
      promptTokens: prompt.tokens,
      outputTokens: Math.max(0, index + 1 - thoughts) * tokensIn(pieces.at(0)),
      thoughtsTokens: thoughts * THOUGHT_TOKENS,
    }),
  };
}

interface Pieces {
  readonly count: number;
  at(index: number): string;
}

/** Cuts a sentence into as many pieces as asked; when it is too short, or bytes are asked for, numbered filler follows. */
function piecesOf(sentence: string, shape: { events: number; textBytes: number }): Pieces {
  const characters = Array.from(sentence);
  if (shape.textBytes === 0 && shape.events <= characters.length) {
    const size = characters.length / shape.events;
    const at = (index: number): string =>
      characters.slice(Math.round(index * size), Math.round((index + 1) * size)).join("");
    return { count: shape.events, at };
  }
  const padded = (text: string): string =>
    text + ".".repeat(Math.max(0, shape.textBytes - Buffer.byteLength(text)));
  return { count: shape.events, at: (index) => padded(index === 0 ? sentence : ` [${index}]`) };
}

function headOf(facts: AnswerFacts): Pick<Answer, "kind" | "responseId" | "modelVersion"> {
  return { kind: "candidates", responseId: facts.responseId, modelVersion: facts.model.resolvesTo };
}

/** An answer of one chunk. */
function singleAnswer(facts: AnswerFacts, chunk: Chunk, thoughtsTokens: number): Answer {
  const outputTokens = chunk.parts === undefined ? 0 : tokensIn(JSON.stringify(chunk.parts));
  const usage = { promptTokens: facts.prompt.tokens, outputTokens, thoughtsTokens };
  return { ...headOf(facts), chunkCount: 1, intervalMs: 0, chunk: () => chunk, usageAt: () => usage };
}

/** The odd answers of gemini-wire.md 5.2. */
function faultyAnswer(facts: AnswerFacts, fault: AnswerFault): Answer {
  switch (fault.kind) {
    case "no-finish-reason": {
      const whole = answerTo({ ...facts, fault: undefined });
      return { ...whole, chunk: (index) => ({ ...whole.chunk(index), finishReason: undefined }) };
    }
    case "stop-without-parts":
      return singleAnswer(facts, { parts: undefined, finishReason: "STOP" }, 0);
    case "thought-only":
      return singleAnswer(facts, { parts: [THOUGHT], finishReason: "STOP" }, THOUGHT_TOKENS);
    case "max-tokens-without-parts":
      return singleAnswer(facts, { parts: undefined, finishReason: "MAX_TOKENS" }, THOUGHT_TOKENS);
    case "blocked-prompt":
      return { ...singleAnswer(facts, { parts: undefined, finishReason: undefined }, 0), kind: "blocked" };
    case "candidates-missing":
      return { ...singleAnswer(facts, { parts: undefined, finishReason: undefined }, 0), kind: "missing" };
  }
}
