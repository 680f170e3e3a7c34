/**
 * Judges the setup of a Live session: model, quota, sessions at one time, the token it came with, the handle it resumes.
 * Changes only the counters it charges. Refuses with a close.
 */
import { randomUUID } from "node:crypto";
import { Refusal } from "../error-bodies.ts";
import type { ErrorSubject } from "../error-bodies.ts";
import { asObject, asText, fieldOf } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Project } from "../projects.ts";
import type { Entry } from "../resources/shelf.ts";
import type { AuthTokenRecord } from "../resources/records.ts";
import { unsealed } from "../resources/sealed-text.ts";
import type { TouchList } from "../resources/touches.ts";
import { charge, requiredModel } from "../routes/context.ts";
import type { World } from "../world.ts";
import { CLOSES, closeFor } from "./close-codes.ts";
import type { LiveClose } from "./close-codes.ts";
import { LiveConversation } from "./live-conversation.ts";
import { liveSetupOf } from "./live-turn.ts";

export interface Applicant {
  readonly world: World;
  readonly subject: ErrorSubject;
  readonly project: Project;
  /** Sessions the project has already. */
  readonly openSessions: number;
  /** Set when it came with a token instead of a key. */
  readonly token: Entry<AuthTokenRecord> | undefined;
  readonly touches: TouchList;
}

export type Admission =
  | { readonly kind: "admitted"; readonly conversation: LiveConversation }
  | { readonly kind: "refused"; readonly close: LiveClose };

export function admit(applicant: Applicant, setup: JsonObject): Admission {
  try {
    return judged(applicant, setup);
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", close: closeFor(error.answer) };
    throw error;
  }
}

function judged(
  { world, subject, project, openSessions, token, touches }: Applicant,
  setup: JsonObject,
): Admission {
  const { models, quotas, resources } = world;
  const nowMs = world.now();
  const context = { subject, project, models, quotas, resources, touches, nowMs };
  const model = requiredModel(context, asText(setup["model"]) ?? "", "bidiGenerateContent");
  const resumption = fieldOf(setup, "sessionResumption");
  const handle = asText(asObject(resumption)["handle"]);
  const before = handle === undefined ? undefined : resumedFrom(handle, project, touches);
  if (handle !== undefined && before === undefined) return refused(CLOSES.sessionNotFound);
  if (openSessions >= project.liveSessionsMax) return refused(CLOSES.tooManySessions);
  if (token !== undefined && !takeUse(token.value, nowMs, before !== undefined))
    return refused(CLOSES.tokenSpent);
  charge(context, model, { family: "generate", requests: 1, tokens: 0 });
  const conversation = new LiveConversation({
    id: before?.id ?? randomUUID(),
    projectName: project.name,
    model,
    setup: liveSetupOf(setup),
    isResumable: resumption !== undefined,
    turnsBefore: before?.turns ?? 0,
  });
  return { kind: "admitted", conversation };
}

function refused(close: LiveClose): Admission {
  return { kind: "refused", close };
}

/** The session a handle belongs to, if it is this project's. */
function resumedFrom(
  handle: string,
  project: Project,
  touches: TouchList,
): { readonly id: string; readonly turns: number } | undefined {
  const found = unsealed("liveHandle", handle);
  const isOwn = found?.owner === project.name;
  touches.add("liveHandle", found?.owner ?? "", isOwn ? "used" : "refused");
  if (found === undefined || !isOwn) return undefined;
  const [id = "", turns = "0"] = found.payload.split(" ");
  return { id, turns: Number(turns) };
}

/** Coming back to a session costs no use. */
function takeUse(token: AuthTokenRecord, nowMs: number, isResuming: boolean): boolean {
  if (isResuming) return true;
  if (token.usesLeft <= 0 || nowMs >= token.newSessionUntilMs) return false;
  token.usesLeft -= 1;
  return true;
}
