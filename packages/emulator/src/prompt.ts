/**
 * What a request asks for, in one form for the native and the OpenAI dialect. Pure: reads JSON, never throws.
 */
import { asArray, asNumber, asObject, asText, fieldOf, isObject } from "./json.ts";
import type { JsonObject } from "./json.ts";

/** A function the model may call; the schema only serves to make up fitting arguments. */
export interface ToolDeclaration {
  readonly name: string;
  readonly parameters: JsonObject;
}

export interface Prompt {
  /** The text of the last user turn. */
  readonly text: string;
  /** Tokens of everything sent, by {@link tokensIn}. */
  readonly tokens: number;
  readonly tools: readonly ToolDeclaration[];
  /** True when the caller forces a call (`mode: ANY`, `tool_choice: required`). */
  readonly mustCall: boolean;
  /** What a tool answered in the last turn, as JSON text. */
  readonly toolResult: string | undefined;
  readonly includeThoughts: boolean;
  readonly outputTokensMax: number | undefined;
  /** Set when the answer has to be JSON: the schema, or an empty object without one. */
  readonly jsonSchema: JsonObject | undefined;
}

/** A stand-in for Google's tokenizer: four bytes to a token, at least one. */
export function tokensIn(text: string): number {
  return text === "" ? 0 : Math.ceil(Buffer.byteLength(text) / 4);
}

/** The texts of one native `Content`. */
export function textOfContent(content: unknown): string {
  return asArray(asObject(content)["parts"])
    .map((part) => asText(asObject(part)["text"]) ?? "")
    .join("");
}

/** Tokens of `contents` and the system instruction. */
export function contentTokens(request: JsonObject): number {
  const contents = asArray(request["contents"]);
  const all = [...contents, fieldOf(request, "systemInstruction")];
  return all.reduce((sum: number, content) => sum + tokensIn(textOfContent(content)), 0);
}

/** Reads a native GenerateContentRequest. */
export function nativePrompt(request: JsonObject): Prompt {
  const contents = asArray(request["contents"]);
  const config = asObject(fieldOf(request, "generationConfig"));
  const calling = asObject(fieldOf(asObject(fieldOf(request, "toolConfig")), "functionCallingConfig"));
  const mode = asText(calling["mode"]);
  const wantsJson = fieldOf(config, "responseMimeType") === "application/json";
  const schema = fieldOf(config, "responseSchema") ?? fieldOf(config, "responseJsonSchema");
  return {
    text: textOfContent(contents.at(-1)),
    tokens: contentTokens(request),
    tools: mode === "NONE" ? [] : nativeTools(request, asArray(fieldOf(calling, "allowedFunctionNames"))),
    mustCall: mode === "ANY",
    toolResult: nativeToolResult(contents.at(-1)),
    includeThoughts: fieldOf(asObject(fieldOf(config, "thinkingConfig")), "includeThoughts") === true,
    outputTokensMax: asNumber(fieldOf(config, "maxOutputTokens")),
    jsonSchema: wantsJson ? asObject(schema) : undefined,
  };
}

function nativeTools(request: JsonObject, allowed: readonly unknown[]): readonly ToolDeclaration[] {
  return asArray(request["tools"])
    .flatMap((tool) => asArray(fieldOf(asObject(tool), "functionDeclarations")))
    .filter(isObject)
    .map((declaration) => ({
      name: asText(declaration["name"]) ?? "",
      parameters: asObject(declaration["parameters"] ?? fieldOf(declaration, "parametersJsonSchema")),
    }))
    .filter(({ name }) => name !== "" && (allowed.length === 0 || allowed.includes(name)));
}

function nativeToolResult(content: unknown): string | undefined {
  const results = asArray(asObject(content)["parts"])
    .map((part) => fieldOf(asObject(part), "functionResponse"))
    .filter((result) => result !== undefined);
  return results.length === 0 ? undefined : JSON.stringify(asObject(results[0])["response"] ?? null);
}

/** Reads a chat completion request of the OpenAI dialect. */
export function chatPrompt(request: JsonObject): Prompt {
  const messages = asArray(request["messages"]).map(asObject);
  const last = messages.at(-1) ?? {};
  const toolChoice = request["tool_choice"];
  const format = asObject(fieldOf(request, "responseFormat"));
  const wantsJson = format["type"] === "json_object" || format["type"] === "json_schema";
  return {
    text: messageText(last),
    tokens: messages.reduce((sum, message) => sum + tokensIn(messageText(message)), 0),
    tools: toolChoice === "none" ? [] : chatTools(request, toolChoice),
    mustCall: toolChoice === "required" || isObject(toolChoice),
    toolResult: last["role"] === "tool" ? messageText(last) : undefined,
    includeThoughts: false,
    outputTokensMax: asNumber(request["max_completion_tokens"]) ?? asNumber(request["max_tokens"]),
    jsonSchema: wantsJson ? asObject(asObject(format["json_schema"])["schema"]) : undefined,
  };
}

/** The text of one chat message, whether a string or a list of parts. */
function messageText(message: JsonObject): string {
  const content = message["content"];
  if (typeof content === "string") return content;
  return asArray(content)
    .map((part) => asText(asObject(part)["text"]) ?? "")
    .join("");
}

function chatTools(request: JsonObject, toolChoice: unknown): readonly ToolDeclaration[] {
  const chosen = asText(asObject(asObject(toolChoice)["function"])["name"]);
  return asArray(request["tools"])
    .map((tool) => asObject(asObject(tool)["function"]))
    .map((declaration) => ({
      name: asText(declaration["name"]) ?? "",
      parameters: asObject(declaration["parameters"]),
    }))
    .filter(({ name }) => name !== "" && (chosen === undefined || name === chosen));
}
