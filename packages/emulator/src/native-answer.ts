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
  const closeText = (): void => {
    if (texts.length > 0) parts.push({ text: texts.splice(0).join("") });
  };
  let hasParts = false;
  let finishReason: string | undefined;
  for (let index = 0; index < answer.chunkCount; index += 1) {
    const chunk = answer.chunk(index);
    finishReason = chunk.finishReason ?? finishReason;
    for (const part of chunk.parts ?? []) {
      hasParts = true;
      if (part.text !== undefined && part.thought === undefined) texts.push(part.text);
      else {
        closeText();
        parts.push(part);
      }
    }
  }
  closeText();
  return { parts: hasParts ? parts : undefined, finishReason };
}

function envelope(answer: Answer, chunk: Chunk, usage: Usage): object {
  return {
    ...verdict(answer, chunk),
    usageMetadata: usageMetadata(usage),
    modelVersion: answer.modelVersion,
    responseId: answer.responseId,
  };
}

function verdict(answer: Answer, { parts, finishReason }: Chunk): object {
  if (answer.kind === "blocked") return { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } };
  if (answer.kind === "missing") return {};
  const content = parts === undefined ? { role: "model" } : { parts, role: "model" };
  const candidate = finishReason === undefined ? { content, index: 0 } : { content, finishReason, index: 0 };
  return { candidates: [candidate] };
}

function usageMetadata({ promptTokens, outputTokens, thoughtsTokens }: Usage): object {
  return {
    promptTokenCount: promptTokens,
    // Protobuf JSON leaves a zero out: an answer without parts has no candidatesTokenCount.
    ...(outputTokens > 0 && { candidatesTokenCount: outputTokens }),
    totalTokenCount: promptTokens + outputTokens + thoughtsTokens,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: promptTokens }],
    ...(thoughtsTokens > 0 && { thoughtsTokenCount: thoughtsTokens }),
    serviceTier: "standard",
  };
}
