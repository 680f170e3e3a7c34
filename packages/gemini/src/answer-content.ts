/**
 * Whether a piece of an answer, already parsed, holds something for the client: one rule for unary bodies and for
 * stream events. Runs on the HTTP workers.
 * Google answers 200 with nothing in it often enough to matter; a verdict (blocked prompt, safety stop, token budget
 * spent) is an answer, though, and must never be taken for such a fault and retried.
 */
import { type Fields, fieldsIn, isFields } from "./json-fields.ts";
import type { Surface } from "./path-grammar.ts";

/** "nothing": well-formed, but no content yet. "error": an error object in a place for content. */
export type Content = "meaningful" | "nothing" | "error";

function isFilled(value: unknown): boolean {
  if (typeof value === "string" || Array.isArray(value)) return value.length > 0;
  return typeof value === "object" && value !== null;
}

/** What annotates a part without being content. A lone signature on an empty text closes many streams. */
const PART_ANNOTATIONS: ReadonlySet<string> = new Set([
  "text",
  "thought",
  "thoughtSignature",
  "thought_signature",
  "partMetadata",
]);

/** Text, also of a thought: a client sees thoughts only when it asked for them. Any other kind of data counts. */
function isMeaningfulPart(part: Fields): boolean {
  if (isFilled(part["text"])) return true;
  return Object.keys(part).some((name) => !PART_ANNOTATIONS.has(name) && isFilled(part[name]));
}

/** Finish reasons that end a turn without saying why; every other one is the model's verdict. */
function isVerdict(finishReason: unknown): boolean {
  return (
    typeof finishReason === "string" && !["", "STOP", "FINISH_REASON_UNSPECIFIED"].includes(finishReason)
  );
}

function nativeContent(body: Fields): Content {
  const feedback = body["promptFeedback"];
  if (isFields(feedback) && isFilled(feedback["blockReason"])) return "meaningful";
  for (const candidate of fieldsIn(body["candidates"])) {
    if (isVerdict(candidate["finishReason"])) return "meaningful";
    const content = candidate["content"];
    if (isFields(content) && fieldsIn(content["parts"]).some(isMeaningfulPart)) return "meaningful";
  }
  return "nothing";
}

const OPENAI_CONTENT_FIELDS: readonly string[] = [
  "content",
  "tool_calls",
  "function_call",
  "refusal",
  "reasoning",
  "reasoning_content",
  "audio",
  "images",
];

function openaiContent(body: Fields): Content {
  for (const choice of fieldsIn(body["choices"])) {
    const finishReason = choice["finish_reason"];
    if (isFilled(finishReason) && finishReason !== "stop") return "meaningful";
    const message = choice["message"] ?? choice["delta"];
    if (isFields(message) && OPENAI_CONTENT_FIELDS.some((name) => isFilled(message[name])))
      return "meaningful";
  }
  return "nothing";
}

/**
 * Judges one JSON value: a whole answer, a stream event or an element of a streamed array.
 * An array speaks through its first element that says anything: compatible routes and streamed arrays wrap errors so.
 */
export function contentOf(value: unknown, surface: Surface): Content {
  if (!Array.isArray(value)) return isFields(value) ? bodyContent(value, surface) : "nothing";
  for (const element of fieldsIn(value)) {
    const content = bodyContent(element, surface);
    if (content !== "nothing") return content;
  }
  return "nothing";
}

function bodyContent(body: Fields, surface: Surface): Content {
  if (isFilled(body["error"])) return "error";
  switch (surface) {
    case "native":
      return nativeContent(body);
    case "openai":
      return openaiContent(body);
    case "interactions":
      // The first event already names the interaction, by which its client can go on with it elsewhere: none is held back.
      return "meaningful";
  }
}
