/**
 * Which answers tell of resources, by route: so that nothing else is read a second time. Pure; on the HTTP workers,
 * once per request.
 */
import { resourceOfPath } from "./path-resource.ts";
import { isCollection } from "./resource-name.ts";

/**
 * What of an answer tells of resources:
 * `resource`: a JSON body with the thing itself, a list of them, or an operation; `interaction`: a JSON body or events;
 * `upload`: headers at the start of an upload, the body of a file or operation at its end; `generation`: a continuation
 * token at its very end; `deletion`: that it succeeded.
 */
export type AnswerTelling = "resource" | "interaction" | "upload" | "generation" | "deletion" | "none";

/** Model verbs that begin a job of which the answer gives the name. */
const JOBS = /:(?:batchGenerateContent|asyncBatchEmbedContent|predictLongRunning)$/;
const GENERATIONS = /:(?:streamG|g)enerateContent$/;
const VERBS_THAT_TELL = /:(?:importFile|uploadToFileSearchStore|register)$/;

function isLeadingCollection(below: string): boolean {
  const [, first = "", second = ""] = below.split("/");
  const collection = first === "openai" ? second : first;
  return isCollection(collection) || collection.split(":", 1)[0] === "files" || collection === "auth_tokens";
}

/** Content comes from it, not its description. */
function isContent(method: string, below: string): boolean {
  return method === "GET" && /:download$|\/content$|\/media\/[^/]+$/.test(below);
}

/**
 * @param below decoded path below the version.
 * @param isUpload whether the path was below `/upload/`.
 */
export function answerTelling(method: string, below: string, isUpload: boolean): AnswerTelling {
  if (isUpload) return "upload";
  if (method === "POST" && GENERATIONS.test(below)) return "generation";
  if (method === "POST" && JOBS.test(below)) return "resource";
  const resource = resourceOfPath(below);
  if (resource?.kind === "operation" && method === "GET") return "resource";
  if (!isLeadingCollection(below) || isContent(method, below)) return "none";
  if (method === "DELETE") return resource?.name === resource?.root ? "deletion" : "none";
  // Names of files inside an environment are whatever their owner likes.
  if (resource?.kind === "environment" && resource.name !== resource.root) return "none";
  if (/^\/interactions(?:\/|$)/.test(below)) return "interaction";
  const lastSegment = below.slice(below.lastIndexOf("/") + 1);
  if (method === "POST" && lastSegment.includes(":") && !VERBS_THAT_TELL.test(below)) return "none";
  return method === "GET" || method === "POST" || method === "PATCH" ? "resource" : "none";
}
