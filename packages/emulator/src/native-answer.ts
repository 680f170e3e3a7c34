/** An answer in Google's native JSON: one object per event, or one for the whole. Pure. */
import type { Answer, Chunk, Part, Usage } from "./answer.ts";

/** One event of a stream; `usageMetadata` is cumulative and in every event, as recorded. */
export function nativeEvent(answer: Answer, index: number): object {
  return envelope(answer, answer.chunk(index), answer.usageAt(index));
}

/** The unary answer: what all events of the stream say together. */
export function nativeWhole(answer: Answer): object {
  return envelope(answer, wholeChunk(answer), answer.usageAt(answer.chunkCount - 1));
}

/** All chunks in one, neighbouring texts joined. */
export function wholeChunk(answer: Answer): Chunk {
  const parts: Part[] = [];
  const texts: string[] = [];
  const closeText = (thoughtSignature?: string): void => {
    if (texts.length === 0) return;
    const text = texts.splice(0).join("");
    parts.push(thoughtSignature === undefined ? { text } : { text, thoughtSignature });
  };
  let hasParts = false;
  let finishReason: string | undefined;
  let continuationToken: string | undefined;
  for (let index = 0; index < answer.chunkCount; index += 1) {
    const chunk = answer.chunk(index);
    finishReason = chunk.finishReason ?? finishReason;
    continuationToken = chunk.continuationToken ?? continuationToken;
    for (const part of chunk.parts ?? []) {
      hasParts = true;
      if (part.text === undefined || part.thought !== undefined) {
        closeText();
        parts.push(part);
        continue;
      }
      texts.push(part.text);
      // A signature belongs to the text before it, and ends it.
      if (part.thoughtSignature !== undefined) closeText(part.thoughtSignature);
    }
  }
  closeText();
  const whole = { parts: hasParts ? parts : undefined, finishReason };
  return continuationToken === undefined ? whole : { ...whole, continuationToken };
}

function envelope(answer: Answer, chunk: Chunk, usage: Usage): object {
  return {
    ...verdict(answer, chunk),
    usageMetadata: usageMetadata(usage),
    modelVersion: answer.modelVersion,
    responseId: answer.responseId,
  };
}

function verdict(answer: Answer, { parts, finishReason, continuationToken }: Chunk): object {
  if (answer.kind === "blocked") return { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } };
  if (answer.kind === "missing") return {};
  const content = parts === undefined ? { role: "model" } : { parts, role: "model" };
  const candidate = {
    content,
    ...(finishReason !== undefined && { finishReason }),
    ...(continuationToken !== undefined && { continuationToken }),
    index: 0,
  };
  return { candidates: [candidate] };
}

function usageMetadata(usage: Usage): object {
  const { promptTokens, outputTokens, thoughtsTokens, cachedTokens = 0 } = usage;
  return {
    promptTokenCount: promptTokens,
    // Protobuf JSON leaves a zero out: an answer without parts has no candidatesTokenCount.
    ...(outputTokens > 0 && { candidatesTokenCount: outputTokens }),
    totalTokenCount: promptTokens + outputTokens + thoughtsTokens,
    ...(cachedTokens > 0 && { cachedContentTokenCount: cachedTokens }),
    promptTokensDetails: [{ modality: "TEXT", tokenCount: promptTokens }],
    ...(cachedTokens > 0 && { cacheTokensDetails: [{ modality: "TEXT", tokenCount: cachedTokens }] }),
    ...(thoughtsTokens > 0 && { thoughtsTokenCount: thoughtsTokens }),
    serviceTier: "standard",
  };
}
