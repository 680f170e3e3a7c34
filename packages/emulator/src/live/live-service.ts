/**
 * All Live sessions of one emulator: handshakes judged, sessions counted per project, faults taken, held ones released.
 * Runs on the emulator's thread.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Call } from "../call-log.ts";
import { unknownKeyError } from "../credentials.ts";
import type { DeliveryTools } from "../delivery.ts";
import type { ErrorSubject } from "../error-bodies.ts";
import { isSubstitute } from "../fault-rules.ts";
import type { ActiveFault } from "../fault-rules.ts";
import { asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { namedError } from "../named-errors.ts";
import type { ErrorName } from "../named-errors.ts";
import type { Project } from "../projects.ts";
import { errorReply, unknownPathReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { TouchList } from "../resources/touches.ts";
import { withoutPrefix } from "../routes/context.ts";
import { substituteReply } from "../substitute-faults.ts";
import { acceptance, refusalBytes } from "../websocket/handshake.ts";
import type { World } from "../world.ts";
import { CLOSES, closeFor } from "./close-codes.ts";
import type { LiveClose } from "./close-codes.ts";
import { admit } from "./live-admission.ts";
import type { Admission } from "./live-admission.ts";
import { callerOf, subjectOf } from "./live-caller.ts";
import type { Caller } from "./live-caller.ts";
import { liveRouteOf } from "./live-request.ts";
import { LiveSession } from "./live-session.ts";
import type { SessionHost } from "./live-session.ts";

/** Control over the sessions that are open, for tests. */
export interface LiveControl {
  /** Connections whose handshake was accepted and that have not ended. */
  readonly sessions: number;
  /** Tells every session that its connection will end. */
  goAway(timeLeftSeconds: number): void;
  /** Ends every session with this close frame. */
  closeAll(code: number, reason: string): void;
  /** Pings every client. */
  ping(): void;
}

export class LiveService implements LiveControl, SessionHost {
  readonly #world: World;
  readonly #tools: DeliveryTools;
  readonly #open = new Map<LiveSession, Caller>();
  readonly #held = new Map<LiveSession, number>();
  readonly #counted = new WeakSet<Call>();

  constructor(world: World, tools: DeliveryTools) {
    this.#world = world;
    this.#tools = tools;
  }

  get sessions(): number {
    return this.#open.size;
  }

  /** Bound, so that it can be the server's handler itself. */
  readonly handle = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const url = request.url ?? "/";
    const { method = "GET", rawHeaders: headers } = request;
    const { calls, now } = this.#world;
    const call = calls.open({ method, path: url, headers, host: "api", startedAtMs: now() });
    socket.on("error", () => socket.destroy());
    const [path = "/"] = url.split("?", 1);
    const route = liveRouteOf(path);
    if (route === undefined) return this.#refuse(call, socket, unknownPathReply(path));
    const caller = callerOf(this.#world, call, route, request);
    const faults = this.#faults(caller, "live.connect", path, "");
    if (faults.some(({ fault }) => fault.kind === "reset")) return this.#drop(call, socket);
    const refusal = this.#refusalBefore(caller, faults);
    if (refusal !== undefined) return this.#refuse(call, socket, refusal);
    const accepted = acceptance(request.headers);
    if (accepted === undefined) return this.#refuse(call, socket, this.#errorOf(caller, "invalid-argument"));
    socket.write(accepted);
    this.#begin(caller, socket, head);
  };

  release(ruleId?: number): void {
    for (const [session, heldBy] of this.#held) {
      if (ruleId === undefined || heldBy === ruleId) session.release();
    }
  }

  goAway(timeLeftSeconds: number): void {
    for (const session of this.#open.keys()) session.goAway(timeLeftSeconds);
  }

  closeAll(code: number, reason: string): void {
    for (const session of this.#open.keys()) session.close({ code, reason });
  }

  ping(): void {
    for (const session of this.#open.keys()) session.ping();
  }

  /** The answer in the handshake's place: a scripted one, or to a credential that is none. */
  #refusalBefore(caller: Caller, faults: readonly ActiveFault[]): Reply | undefined {
    const substitute = faults.map(({ fault }) => fault).find(isSubstitute);
    if (substitute !== undefined)
      return substituteReply(substitute, subjectOf(this.#world, caller, ""), "unary");
    const { credential } = caller;
    if (credential.kind !== "refused" || credential.error === "unauthenticated") return undefined;
    return this.#errorOf(caller, credential.error);
  }

  #errorOf(caller: Caller, error: ErrorName): Reply {
    return errorReply(namedError(error, subjectOf(this.#world, caller, "")), "unary");
  }

  #drop(call: Call, socket: Duplex): void {
    socket.destroy();
    this.#finish(call, true);
  }

  #refuse(call: Call, socket: Duplex, reply: Reply): void {
    call.status = reply.status;
    socket.end(refusalBytes(reply));
    this.#finish(call, false);
  }

  #begin(caller: Caller, socket: Duplex, head: Buffer): void {
    const { call } = caller;
    call.status = 101;
    const session = new LiveSession(call, this, socket, this.#tools);
    this.#open.set(session, caller);
    this.#world.calls.moveTo(call, "answering");
    session.start(head);
    const close = this.#closeAtOnce(caller);
    if (close !== undefined) session.close(close);
  }

  /** A credential that is known to be no good is told so before the setup comes. */
  #closeAtOnce(caller: Caller): LiveClose | undefined {
    const { credential, project } = caller;
    if (project !== undefined) return undefined;
    if (credential.kind === "token") return CLOSES.tokenSpent;
    const error = credential.kind === "refused" ? credential.error : unknownKeyError(credential.key);
    return closeFor(namedError(error, subjectOf(this.#world, caller, "")));
  }

  setUp(
    session: LiveSession,
    setup: JsonObject,
    payload: Buffer,
  ): { admission: Admission; faults: readonly ActiveFault[] } {
    const caller = this.#open.get(session);
    const project = caller?.project;
    if (caller === undefined || project === undefined) {
      return { admission: { kind: "refused", close: CLOSES.invalidArgument }, faults: [] };
    }
    const { call } = caller;
    this.#world.calls.keepBody(call, payload);
    const model = withoutPrefix(asText(setup["model"]) ?? "");
    const subject = subjectOf(this.#world, caller, model);
    const faults = this.#faults(caller, "live", call.path, model);
    const touches = new TouchList();
    const admission = this.#admission(caller, project, faults, subject, touches, setup);
    Object.assign(call, { model, faults: faults.map(({ fault }) => fault.kind), resources: touches.all() });
    this.#count(call);
    return { admission, faults };
  }

  #admission(
    caller: Caller,
    project: Project,
    faults: readonly ActiveFault[],
    subject: ErrorSubject,
    touches: TouchList,
    setup: JsonObject,
  ): Admission {
    const world = this.#world;
    const scripted = faults.map(({ fault }) => fault).find((fault) => fault.kind === "error");
    const state = world.projects.stateError(subject.key, project, true);
    const error = scripted?.error ?? state;
    if (error !== undefined) return { kind: "refused", close: closeFor(namedError(error, subject)) };
    const openSessions = [...this.#open].filter(
      ([session, other]) => session.isSetUp && other.project === project,
    ).length;
    return admit({ world, subject, project, openSessions, token: caller.token, touches }, setup);
  }

  #faults(
    { call }: Caller,
    operation: "live" | "live.connect",
    path: string,
    model: string,
  ): readonly ActiveFault[] {
    const { faults, now, startedAtMs } = this.#world;
    const { key, project } = call;
    const subject = { key, project, model, operation, path, elapsedMs: now() - startedAtMs };
    return faults.take(subject, operation === "live.connect");
  }

  changed({ call }: LiveSession): void {
    this.#world.calls.changed(call);
  }

  held(session: LiveSession, ruleId: number): void {
    this.#held.set(session, ruleId);
    this.#world.calls.moveTo(session.call, "held");
  }

  resumed(session: LiveSession): void {
    this.#held.delete(session);
    this.#world.calls.moveTo(session.call, "answering");
  }

  ended(session: LiveSession, isClean: boolean): void {
    this.#open.delete(session);
    this.#held.delete(session);
    this.#finish(session.call, !isClean);
  }

  /** Once for each call: when the setup is judged, or when it ends without one. */
  #count(call: Call): void {
    if (this.#counted.has(call)) return;
    this.#counted.add(call);
    this.#world.calls.count(call);
  }

  #finish(call: Call, aborted: boolean): void {
    this.#count(call);
    call.aborted = aborted;
    call.endedAtMs = this.#world.now();
    this.#world.calls.moveTo(call, "done");
  }
}
