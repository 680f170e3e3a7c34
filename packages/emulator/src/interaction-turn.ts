/**
 * One turn of the Interactions API: from its request to the steps it shows and the events it streams. Pure.
 * Event ids are opaque to clients and in order; a stream is resumed after any of them.
 */
import type { Answer, Part } from "./answer.ts";
import { asArray, asObject, asText } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { wholeChunk } from "./native-answer.ts";

/** The request in native form, so that the same model answers it. */
export function nativeRequest(body: JsonObject): JsonObject {
  const functions = asArray(body["tools"])
    .map(asObject)
    .filter((tool) => tool["type"] === "function");
  const choice = asText(asObject(body["generation_config"])["tool_choice"]);
  return {
    contents: contentsOf(body["input"]),
    ...(body["system_instruction"] !== undefined && {
      systemInstruction: { parts: [{ text: asText(body["system_instruction"]) ?? "" }] },
    }),
    tools: [{ functionDeclarations: functions }],
    ...(choice === "any" && { toolConfig: { functionCallingConfig: { mode: "ANY" } } }),
  };
}

/** `input` is a text, one content, a list of contents, or a list of steps. */
function contentsOf(input: unknown): readonly object[] {
  if (typeof input === "string") return [userContent([{ text: input }])];
  const items = (Array.isArray(input) ? input : [input]).map(asObject);
  const isSteps = items.some(({ type }) => type === "user_input" || type === "function_result");
  if (!isSteps) return [userContent(items.map(partOf))];
  return items.map((step) =>
    step["type"] === "function_result"
      ? userContent([{ functionResponse: { response: step["result"] } }])
      : userContent(asArray(step["content"]).map((content) => partOf(asObject(content)))),
  );
}

function userContent(parts: readonly object[]): object {
  return { role: "user", parts };
}

function partOf(content: JsonObject): object {
  return { text: asText(content["text"]) ?? "" };
}

/** What the model did, as steps: its output, or a signed thought and the call it wants. */
export function stepsOf(answer: Answer): readonly JsonObject[] {
  const parts = wholeChunk(answer).parts ?? [];
  return parts.flatMap((part) => stepOf(part));
}

function stepOf({ text, functionCall, fileData, thoughtSignature }: Part): readonly JsonObject[] {
  const thought = thoughtSignature === undefined ? [] : [{ type: "thought", signature: thoughtSignature }];
  if (functionCall !== undefined) {
    const { name, args } = functionCall;
    return [...thought, { type: "function_call", id: `call_${name}`, name, arguments: args }];
  }
  if (fileData !== undefined) {
    const { mimeType, fileUri } = fileData;
    return [{ type: "model_output", content: [{ type: "document", uri: fileUri, mime_type: mimeType }] }];
  }
  return text === undefined || text === ""
    ? thought
    : [...thought, { type: "model_output", content: [{ type: "text", text }] }];
}

export function usageOf(answer: Answer): JsonObject {
  const usage = answer.usageAt(answer.chunkCount - 1);
  const { promptTokens, outputTokens, thoughtsTokens, cachedTokens = 0 } = usage;
  return {
    total_input_tokens: promptTokens,
    total_output_tokens: outputTokens,
    total_thought_tokens: thoughtsTokens,
    total_cached_tokens: cachedTokens,
    total_tokens: promptTokens + outputTokens + thoughtsTokens,
  };
}

export interface TurnFacts {
  readonly answer: Answer;
  /** As a finished interaction shows itself, `status` included. */
  readonly finished: JsonObject;
}

/** The events of the turn, in order, each with its id. */
export function eventsOf({ answer, finished }: TurnFacts): readonly JsonObject[] {
  const { steps, ...head } = finished;
  const { continuation_token: token, usage: _usage, output_text: _text, ...begun } = head;
  const interaction = { ...begun, status: "in_progress" };
  const events: JsonObject[] = [
    { event_type: "interaction.created", interaction },
    { event_type: "interaction.status_update", interaction_id: head["id"], status: "in_progress" },
    ...asArray(steps).flatMap((step, index) => stepEvents(answer, asObject(step), index)),
    ...(token === undefined
      ? []
      : [
          {
            event_type: "interaction.status_update",
            interaction_id: head["id"],
            status: "requires_continuation",
          },
        ]),
    { event_type: "interaction.completed", interaction: head },
  ];
  return events.map((event, index) => ({ ...event, event_id: eventId(String(head["id"]), index) }));
}

function eventId(interactionId: string, index: number): string {
  return Buffer.from(`${interactionId} ${index}`).toString("base64url");
}

/** A step begins empty, grows by deltas and stops. A text comes in the pieces in which the model streams it. */
function stepEvents(answer: Answer, step: JsonObject, index: number): readonly JsonObject[] {
  const { content, arguments: args, ...head } = step;
  return [
    { event_type: "step.start", index, step: head },
    ...deltasOf(answer, content, args).map((delta) => ({ event_type: "step.delta", index, delta })),
    { event_type: "step.stop", index },
  ];
}

function deltasOf(answer: Answer, content: unknown, args: unknown): readonly JsonObject[] {
  if (args !== undefined) return [{ type: "arguments_delta", arguments: JSON.stringify(args) }];
  return asArray(content).flatMap((item) => {
    const shown = asObject(item);
    return shown["type"] === "text" ? textPieces(answer).map((text) => ({ type: "text", text })) : [shown];
  });
}

function textPieces(answer: Answer): readonly string[] {
  const pieces: string[] = [];
  for (let index = 0; index < answer.chunkCount; index += 1) {
    for (const { text, thought } of answer.chunk(index).parts ?? []) {
      if (text !== undefined && text !== "" && thought === undefined) pieces.push(text);
    }
  }
  return pieces;
}
