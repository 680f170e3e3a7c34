/** The path of a request as logs tell it. Worker threads; pure. */
import type { Route } from "@gemini-gateway/gemini/route";

/** Without its query where that may be all it takes to go on with an upload or to fetch a file. */
export function pathOfRoute({ transfer, upstreamPath }: Route): string {
  if (transfer === undefined) return upstreamPath;
  const queryAt = upstreamPath.indexOf("?");
  return queryAt < 0 ? upstreamPath : upstreamPath.slice(0, queryAt);
}
