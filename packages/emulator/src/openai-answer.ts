/** An answer in the OpenAI dialect of Google's compatibility routes: completion, chunks, usage. Pure. */
import type { Answer, Part } from "./answer.ts";
import { wholeChunk } from "./native-answer.ts";

const FINISH_REASONS: Readonly<Record<string, string>> = { STOP: "stop", MAX_TOKENS: "length" };

interface CompletionFacts {
  readonly answer: Answer;
  /** As the caller wrote it. */
  readonly model: string;
  readonly createdSeconds: number;
}

/** The unary `chat.completion`. */
export function chatCompletion(facts: CompletionFacts): object {
  const { answer } = facts;
  const { parts, finishReason } = wholeChunk(answer);
  const choice = {
    finish_reason: finishOf(finishReason, parts),
    index: 0,
    message: { ...messageOf(parts, false), role: "assistant" },
  };
  return {
    choices: answer.kind === "candidates" ? [choice] : [],
    ...headOf(facts),
    object: "chat.completion",
    usage: usageOf(answer, answer.chunkCount - 1),
  };
}

/** One `chat.completion.chunk`. */
export function chatChunk(facts: CompletionFacts, index: number): object {
  const { answer } = facts;
  const { parts, finishReason } = answer.chunk(index);
  const finish = finishOf(finishReason, parts);
  const delta = { ...messageOf(parts, true), role: "assistant" };
  const choice = finish === undefined ? { delta, index: 0 } : { delta, finish_reason: finish, index: 0 };
  const choices = answer.kind === "candidates" ? [choice] : [];
  return { choices, ...headOf(facts), object: "chat.completion.chunk" };
}

/** The chunk after the last when `stream_options.include_usage` is set: no choices, only usage. */
export function chatUsageChunk(facts: CompletionFacts): object {
  const usage = usageOf(facts.answer, facts.answer.chunkCount - 1);
  return { choices: [], ...headOf(facts), object: "chat.completion.chunk", usage };
}

function headOf({ answer, model, createdSeconds }: CompletionFacts): object {
  return { created: createdSeconds, id: answer.responseId, model };
}

function finishOf(reason: string | undefined, parts: readonly Part[] | undefined): string | undefined {
  if (reason === undefined) return undefined;
  if (parts?.some((part) => part.functionCall !== undefined)) return "tool_calls";
  return FINISH_REASONS[reason] ?? "content_filter";
}

/** Content and tool calls; Google's deltas carry a call whole. `index` is left out of them, as recorded. */
function messageOf(parts: readonly Part[] | undefined, isDelta: boolean): object {
  const visible = (parts ?? []).filter((part) => part.thought === undefined);
  const text = visible.map((part) => part.text ?? "").join("");
  const calls = visible.flatMap((part) => (part.functionCall === undefined ? [] : [toolCallOf(part)]));
  if (calls.length > 0) return isDelta ? { tool_calls: calls } : { content: null, tool_calls: calls };
  return visible.length === 0 ? {} : { content: text };
}

function toolCallOf(part: Part): object {
  const { name, args } = part.functionCall ?? { name: "", args: {} };
  return {
    extra_content: { google: { thought_signature: part.thoughtSignature } },
    function: { arguments: JSON.stringify(args), name },
    id: `function-call-${name}`,
    type: "function",
  };
}

function usageOf(answer: Answer, index: number): object {
  const { promptTokens, outputTokens, thoughtsTokens, cachedTokens = 0 } = answer.usageAt(index);
  return {
    completion_tokens: outputTokens,
    prompt_tokens: promptTokens,
    ...(cachedTokens > 0 && { prompt_tokens_details: { cached_tokens: cachedTokens } }),
    total_tokens: promptTokens + outputTokens + thoughtsTokens,
  };
}
