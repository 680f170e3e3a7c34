/**
 * What the model says in a Live session, as the server's messages. Pure: the same answers as everywhere else, in the
 * dialect of section 8 of gemini-wire.md.
 */
import type { Answer, Part } from "../answer.ts";
import { asArray, asObject, fieldOf } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { nativePrompt } from "../prompt.ts";
import type { Prompt } from "../prompt.ts";

/** What a setup asks for, as far as it shapes the answers. */
export interface LiveSetup {
  readonly tools: readonly unknown[];
  readonly speaks: boolean;
  readonly transcribes: boolean;
  readonly includeThoughts: boolean;
}

export function liveSetupOf(setup: JsonObject): LiveSetup {
  const config = asObject(fieldOf(setup, "generationConfig"));
  const modalities = asArray(fieldOf(config, "responseModalities"));
  return {
    tools: asArray(setup["tools"]),
    speaks: modalities.includes("AUDIO"),
    transcribes: fieldOf(setup, "outputAudioTranscription") !== undefined,
    includeThoughts: fieldOf(asObject(fieldOf(config, "thinkingConfig")), "includeThoughts") === true,
  };
}

/** The prompt of a turn: the contents so far, with the tools of the setup. */
export function livePrompt(setup: LiveSetup, contents: readonly unknown[]): Prompt {
  const config = { thinkingConfig: { includeThoughts: setup.includeThoughts } };
  return nativePrompt({ contents, tools: setup.tools, generationConfig: config });
}

/** What a client's `toolResponse` says, as a content. */
export function toolContent(toolResponse: JsonObject): object {
  const responses = asArray(fieldOf(toolResponse, "functionResponses"));
  return { role: "user", parts: responses.map((functionResponse) => ({ functionResponse })) };
}

/** A whole turn of the model. A call of a function ends it without `turnComplete`: the model waits for the result. */
export function turnMessages(setup: LiveSetup, answer: Answer): readonly object[] {
  const messages: object[] = [];
  for (let index = 0; index < answer.chunkCount; index += 1) {
    const parts = answer.chunk(index).parts ?? [];
    const call = parts.find((part) => part.functionCall !== undefined);
    messages.push(...(call === undefined ? spoken(setup, parts) : [toolCall(call)]));
    if (call !== undefined) return [...messages, { usageMetadata: usageOf(answer) }];
  }
  return [
    ...messages,
    { serverContent: { generationComplete: true } },
    { serverContent: { turnComplete: true }, usageMetadata: usageOf(answer) },
  ];
}

function toolCall({ functionCall }: Part): object {
  const { name, args } = functionCall ?? { name: "", args: {} };
  return { toolCall: { functionCalls: [{ id: `function-call-${name}`, name, args }] } };
}

function spoken(setup: LiveSetup, parts: readonly Part[]): readonly object[] {
  if (!setup.speaks) return [{ serverContent: { modelTurn: { parts } } }];
  const text = parts.map((part) => part.text ?? "").join("");
  const data = Buffer.from(text).toString("base64");
  const audio = {
    serverContent: { modelTurn: { parts: [{ inlineData: { mimeType: "audio/pcm;rate=24000", data } }] } },
  };
  return setup.transcribes ? [audio, { serverContent: { outputTranscription: { text } } }] : [audio];
}

function usageOf(answer: Answer): object {
  const { promptTokens, outputTokens, thoughtsTokens } = answer.usageAt(answer.chunkCount - 1);
  return {
    promptTokenCount: promptTokens,
    responseTokenCount: outputTokens,
    ...(thoughtsTokens > 0 && { thoughtsTokenCount: thoughtsTokens }),
    totalTokenCount: promptTokens + outputTokens + thoughtsTokens,
  };
}
