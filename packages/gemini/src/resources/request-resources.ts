/**
 * All the resources of a request, from its line and its body together. Pure; runs on the HTTP workers.
 * Every root here has to belong to the one project whose key is used.
 */
import type { BodyReading } from "./body-reading.ts";
import { resourceOfPath, resourcesOfQuery } from "./path-resource.ts";
import type { Resource } from "./resource-name.ts";

/**
 * @param below decoded path below the version.
 * @param query raw, without `?`, before credentials were taken out of it.
 * @param reading of the body; undefined when it has none that is JSON.
 * @returns each root once, the path's first.
 */
export function resourcesOfRequest(
  below: string,
  query: string,
  reading: BodyReading | undefined,
): readonly Resource[] {
  const ofPath = resourceOfPath(below);
  const ofQuery = resourcesOfQuery(query);
  const ofBody = reading?.resources ?? [];
  // Nearly every request names none, and most of the others name all of theirs in one place.
  if (ofPath === undefined && ofQuery.length === 0) return ofBody;
  const byRoot = new Map<string, Resource>();
  for (const resource of ofPath === undefined ? ofQuery : [ofPath, ...ofQuery])
    byRoot.set(resource.root, resource);
  for (const resource of ofBody) if (!byRoot.has(resource.root)) byRoot.set(resource.root, resource);
  return [...byRoot.values()];
}
