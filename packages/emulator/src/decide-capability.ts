/**
 * Requests that their URL authorises and no key: what follows the start of an upload, and signed download links. Pure but for
 * the upload they go on with.
 */
import type { Arrival, Decision } from "./arrival.ts";
import { Refusal } from "./error-bodies.ts";
import type { Route } from "./operations.ts";
import type { Project } from "./projects.ts";
import { errorReply } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { contentReply, isSigned, linkRefused } from "./routes/file-download.ts";
import type { RouteContext } from "./routes/context.ts";
import { answerLeg, refusedLeg } from "./routes/upload-leg.ts";
import type { UploadLeg } from "./upload-legs.ts";
import type { World } from "./world.ts";

/** True for a request whose URL is its credential. */
export function isCapability(route: Route, query: URLSearchParams): boolean {
  return route.operation === "upload.leg" || (route.operation === "files.downloadDirect" && query.has("sig"));
}

export type ContextMaker = (project: Project) => RouteContext;
type Answered = Pick<Decision, "reply" | "project">;

/** The answer to such a request, and whose upload or file it is. */
export function capabilityReply(
  world: World,
  arrival: Arrival,
  route: Route,
  keyOwner: string,
  contextOf: ContextMaker,
): Answered {
  try {
    return route.operation === "upload.leg"
      ? legReply(world, arrival.leg, keyOwner, contextOf)
      : linkReply(world, arrival, route);
  } catch (error) {
    if (error instanceof Refusal) return { reply: errorReply(error.answer, "unary"), project: "" };
    throw error;
  }
}

function legReply(
  world: World,
  leg: UploadLeg | undefined,
  keyOwner: string,
  contextOf: ContextMaker,
): Answered {
  const session = leg?.session;
  const project = session === undefined ? undefined : world.projects.ofName(session.owner);
  if (leg === undefined || session === undefined || project === undefined) {
    return { reply: refusedLeg(404, "Upload not found.", undefined), project: "" };
  }
  const context = contextOf(project);
  // A key is not asked for here, but the key of another project shows that somebody mixed them up.
  const isForeign = keyOwner !== "" && keyOwner !== session.owner;
  const owner = isForeign ? keyOwner : session.owner;
  context.touches.add(`upload:${session.id}`, owner, isForeign ? "foreign" : "used");
  return { reply: answerLeg(context, session, leg), project: project.name };
}

function linkReply(world: World, { query }: Arrival, route: Route): { reply: Reply; project: string } {
  const entry = world.resources.files.find(`files/${route.ids[0] ?? ""}`, world.now());
  if (entry === undefined || !isSigned(query, entry)) throw linkRefused();
  return { reply: contentReply(entry), project: entry.owner };
}
