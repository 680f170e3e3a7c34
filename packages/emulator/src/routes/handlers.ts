/** Which route serves which operation: the place where a new one is entered. */
import type { Operation } from "../operations.ts";
import type { ResourceOperation } from "../resource-paths.ts";
import type { RouteHandler } from "./context.ts";
import { countTokens } from "./count-tokens.ts";
import { batchEmbedContents, embedContent } from "./embed-content.ts";
import { generateContent, streamGenerateContent } from "./generate-content.ts";
import { getModel, listModels } from "./models.ts";
import {
  chatCompletions,
  openAiEmbeddings,
  openAiGetModel,
  openAiListModels,
  openAiResponses,
} from "./openai.ts";
import { RESOURCE_HANDLERS } from "./resource-handlers.ts";

type PlainOperation = Exclude<Operation, ResourceOperation>;

const PLAIN_HANDLERS: Readonly<Record<PlainOperation, RouteHandler>> = {
  generateContent,
  streamGenerateContent,
  countTokens,
  embedContent,
  batchEmbedContents,
  "models.list": listModels,
  "models.get": getModel,
  "openai.chatCompletions": chatCompletions,
  "openai.embeddings": openAiEmbeddings,
  "openai.models.list": openAiListModels,
  "openai.models.get": openAiGetModel,
  "openai.responses": openAiResponses,
};

export const HANDLERS: Readonly<Record<Operation, RouteHandler>> = {
  ...PLAIN_HANDLERS,
  ...RESOURCE_HANDLERS,
};
