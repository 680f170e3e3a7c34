/**
 * The resource that a request line names: in its path, and in the few query parameters that carry one.
 * Runs on the HTTP workers, once per request.
 */
import { decodeLeniently, queryParameters } from "../query-string.ts";
import { authToken, opaqueResource } from "./opaque-name.ts";
import { isCollection, parseResourceName, type Resource, resourceIn } from "./resource-name.ts";

function withoutVerb(name: string): string {
  const colonAt = name.indexOf(":", name.lastIndexOf("/") + 1);
  return colonAt < 0 ? name : name.slice(0, colonAt);
}

/** `/openai/batches/batches/b1`, `/openai/files/file-1/content`: the client percent-encodes the slash of its ids. */
function openaiResource(name: string): Resource | undefined {
  const slashAt = name.indexOf("/");
  const collection = slashAt < 0 ? name : name.slice(0, slashAt);
  if (slashAt < 0 || !isCollection(collection)) return undefined;
  const id = name.slice(slashAt + 1);
  return parseResourceName(id) ?? parseResourceName(name) ?? resourceIn(collection, id);
}

/**
 * @param below decoded path below the version, such as `/files/abc:download`, `/tunedModels/x:generateContent` or
 *   `/openai/batches/batches/b1`.
 */
export function resourceOfPath(below: string): Resource | undefined {
  const name = withoutVerb(below.slice(1).replace(/\/+$/, ""));
  if (name.startsWith("openai/")) return openaiResource(name.slice("openai/".length));
  return parseResourceName(name) ?? authToken(name);
}

/**
 * What the query of a request names: the upload that a second leg goes on with, the ephemeral token of a Live session.
 * @param query raw, without `?`, before credentials were taken out of it.
 */
export function resourcesOfQuery(query: string): Resource[] {
  const resources: Resource[] = [];
  if (query === "" || (!query.includes("upload_id") && !query.includes("token"))) return resources;
  for (const parameter of queryParameters(query)) {
    const name = decodeLeniently(parameter.name);
    const value = decodeLeniently(parameter.value);
    let resource: Resource | undefined;
    if (name === "upload_id") resource = opaqueResource("upload", value);
    else if (name === "access_token" || name === "key") resource = authToken(value);
    if (resource !== undefined) resources.push(resource);
  }
  return resources;
}
