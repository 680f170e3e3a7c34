/** Media made by models: Veo's long-running videos, Imagen's and OpenAI's images. The bytes are small and made up. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asArray, asNumber, asObject, asText } from "../json.ts";
import { tokensIn } from "../prompt.ts";
import { compactReply, jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { kept, newId } from "./access.ts";
import { charge, requiredModel, withoutPrefix } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { intakeOf, keepFile } from "./files.ts";
import { operationBody, pollOperation } from "./store-documents.ts";

/** The smallest PNG there is: one transparent pixel. */
const PIXEL_BASE64 =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const IMAGES_MAX = 10;
const VIDEOS_MAX = 4;

/** `:predictLongRunning`: an operation that is done after some polls. The videos are files of the project. */
export function generateVideos(context: RouteContext): Reply {
  const model = requiredModel(context, context.route.model, "predictLongRunning");
  const prompt = promptOf(context);
  charge(context, model, { family: "generate", requests: 1, tokens: tokensIn(prompt) });
  const count = Math.min(VIDEOS_MAX, sampleCount(context));
  const generatedSamples = Array.from({ length: count }, () => ({
    video: { uri: newVideo(context, prompt) },
  }));
  const response = {
    "@type": "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse",
    generateVideoResponse: { generatedSamples },
  };
  const name = `models/${model.name}/operations/${newId(12)}`;
  const operation = { pollsLeft: context.resources.jobPolls, metadata: undefined, response };
  return jsonReply(operationBody(kept(context, context.resources.operations, name, operation)));
}

function newVideo(context: RouteContext, prompt: string): string {
  const file = keepFile(context, {
    mimeType: "video/mp4",
    source: "GENERATED",
    intake: intakeOf(context, Buffer.from(`emulated video of project ${context.project.name}: ${prompt}`)),
  });
  return `${context.links.fileUri(file.name)}:download?alt=media`;
}

export function getModelOperation(context: RouteContext): Reply {
  const [model = "", id = ""] = context.route.ids;
  return pollOperation(context, `models/${model}/operations/${id}`);
}

/** `:predict`, Imagen's. */
export function predictImages(context: RouteContext): Reply {
  const model = requiredModel(context, context.route.model, "predict");
  charge(context, model, { family: "generate", requests: 1, tokens: tokensIn(promptOf(context)) });
  const image = { mimeType: "image/png", bytesBase64Encoded: PIXEL_BASE64 };
  const count = Math.min(IMAGES_MAX, sampleCount(context));
  return jsonReply({ predictions: Array.from({ length: count }, () => image) });
}

function promptOf({ body }: RouteContext): string {
  const prompt = asText(asObject(asArray(body["instances"])[0])["prompt"]) ?? "";
  if (prompt === "") throw new Refusal(badRequest("* instances: a prompt is not specified\n"));
  return prompt;
}

function sampleCount({ body }: RouteContext): number {
  return Math.max(1, asNumber(asObject(body["parameters"])["sampleCount"]) ?? 1);
}

/** `/openai/images/generations`: an image model of either kind. */
export function openAiImages(context: RouteContext): Reply {
  const { body, nowMs } = context;
  const name = asText(body["model"]) ?? "";
  const prompt = asText(body["prompt"]) ?? "";
  if (prompt === "") throw new Refusal(badRequest("prompt is not specified"));
  const isImagen = context.models.get(withoutPrefix(name))?.methods.includes("predict") ?? false;
  const model = requiredModel(context, name, isImagen ? "predict" : "generateContent");
  charge(context, model, { family: "generate", requests: 1, tokens: tokensIn(prompt) });
  const count = Math.min(IMAGES_MAX, Math.max(1, asNumber(body["n"]) ?? 1));
  const data = Array.from({ length: count }, () => ({ b64_json: PIXEL_BASE64 }));
  return compactReply({ created: Math.floor(nowMs / 1000), data });
}
