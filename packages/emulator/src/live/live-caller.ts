/** Who opens a Live session: the credential of its handshake and the project behind it. Pure but for what it looks up. */
import type { IncomingMessage } from "node:http";
import type { Call } from "../call-log.ts";
import type { ErrorSubject } from "../error-bodies.ts";
import type { Project } from "../projects.ts";
import type { AuthTokenRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import type { World } from "../world.ts";
import { liveCredentialOf } from "./live-request.ts";
import type { LiveCredential, LiveRoute } from "./live-request.ts";

/** Who is behind a handshake, as far as it is known before the setup. */
export interface Caller {
  readonly call: Call;
  readonly route: LiveRoute;
  readonly credential: LiveCredential;
  readonly project: Project | undefined;
  readonly token: Entry<AuthTokenRecord> | undefined;
}

/** Reads the handshake, and enters in the call's log what it found. */
export function callerOf(world: World, call: Call, route: LiveRoute, request: IncomingMessage): Caller {
  const [, search = ""] = /\?(.*)$/.exec(call.path) ?? [];
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const credential = liveCredentialOf(route, new URLSearchParams(search), header);
  const { projects, resources, now } = world;
  const token = credential.kind === "token" ? resources.authTokens.find(credential.token, now()) : undefined;
  const owner = token === undefined ? undefined : projects.ofName(token.owner);
  const project = credential.kind === "key" ? projects.ofKey(credential.key) : owner;
  call.operation = "live";
  call.key = textOf(credential);
  call.project = project?.name ?? "";
  return { call, route, credential, project, token };
}

function textOf(credential: LiveCredential): string {
  switch (credential.kind) {
    case "key":
      return credential.key;
    case "token":
      return credential.token;
    case "refused":
      return "";
  }
}

/** Whom an error of this session speaks of. */
export function subjectOf(world: World, { call, route, project }: Caller, model: string): ErrorSubject {
  return {
    key: call.key,
    projectNumber: project?.number ?? "0",
    model,
    resolvedModel: world.models.get(model)?.resolvesTo ?? model,
    version: route.version,
    method: "BidiGenerateContent",
    operation: "bidiGenerateContent",
  };
}
