/**
 * The life of one Live session after it was let in: setup → lease → attempt → (next attempt …) → talk → end.
 * Worker threads. It calls; core and gemini decide. Until the upstream has said its first message the client's setup is
 * kept, so that another key can take over unseen. Ends exactly once, whatever happens: see `#end`.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { Denial } from "@gemini-gateway/core/lease";
import type { Outcome, OutcomeKind } from "@gemini-gateway/core/outcome";
import { FRESH_TRAIL } from "@gemini-gateway/core/retry-policy";
import { type LiveClose, outcomeOfSession } from "@gemini-gateway/gemini/live-close";
import { goAwayMessage, usageInLiveMessage, usageSum } from "@gemini-gateway/gemini/live-message";
import { quotaLane } from "@gemini-gateway/gemini/quota-lane";
import type { Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { Usage } from "@gemini-gateway/gemini/usage";
import type { WebSocket } from "ws";
import { afterFailure } from "../after-failure.ts";
import type { HeldUse, LeaseSeeker } from "../lease-seeker.ts";
import { reasonOf, type AttemptNote, type RowOutcome } from "../request-record.ts";
import type { Service } from "../service.ts";
import type { LiveAdmission } from "./live-admission.ts";
import { LiveAttempt, type LiveAttemptListener, type LiveMessage } from "./live-attempt.ts";
import {
  closeToPassOn,
  denialOfToken,
  GOING_AWAY,
  type LiveFailure,
  liveLastWord,
  ownClose,
  sessionRow,
} from "./live-ending.ts";
import { saidToGoogle } from "../transfers/file-uris.ts";
import { takeLiveSetup } from "./live-setup.ts";
import { LiveSocket, type LiveSocketEvents } from "./live-socket.ts";
import { SentAhead } from "./sent-ahead.ts";

type Phase = "setup" | "seeking" | "opening" | "talking" | "over";

export class LiveSession implements LeaseSeeker, LiveAttemptListener, LiveSocketEvents {
  trail = FRESH_TRAIL;
  /** Sessions are not lent by size: what they will say is not known. */
  readonly tokens = 0;
  readonly #service: Service;
  readonly #admission: LiveAdmission;
  readonly #client: LiveSocket;
  readonly #ended: (session: LiveSession) => void;
  readonly #notes: AttemptNote[] = [];
  #phase: Phase = "setup";
  #model = "";
  #setup: LiveMessage | undefined;
  /** What the setup names and only one project has. */
  #refersTo: readonly Resource[] = [];
  readonly #ahead = new SentAhead();
  #attempt: LiveAttempt | undefined;
  #usage: Usage | undefined;
  /** The last attempt that failed unseen. */
  #last: LiveFailure | undefined;
  /** When it could first have a key. */
  #setupAtMs = 0;
  #begunAtMs = -1;
  #movedAtMs: number;

  constructor(
    service: Service,
    admission: LiveAdmission,
    socket: WebSocket,
    ended: (session: LiveSession) => void,
  ) {
    this.#service = service;
    this.#admission = admission;
    this.#ended = ended;
    this.#movedAtMs = service.now();
    this.#client = new LiveSocket(socket, this, service.now);
  }

  get lane(): string {
    return quotaLane(this.#admission.route, this.#model);
  }

  get resources(): readonly string[] {
    return this.#refersTo.map(({ root }) => root);
  }

  get waitUntilMs(): number {
    return this.#setupAtMs + this.#service.config.lease.maxWaitMs;
  }

  // --- the client ----------------------------------------------------------------------------------------------------

  message(said: Buffer, isBinary: boolean): void {
    this.#movedAtMs = this.#service.now();
    try {
      const data = saidToGoogle(said, this.#admission.fileBases);
      if (this.#phase === "talking") this.#pass(data, isBinary);
      else if (this.#phase === "setup") this.#takeSetup({ data, isBinary });
      else if (this.#phase !== "over" && !this.#ahead.keep({ data, isBinary })) this.#client.pause();
    } catch {
      this.#fault();
    }
  }

  #pass(data: Buffer, isBinary: boolean): void {
    if (this.#attempt?.send(data, isBinary) === false) this.#client.pause();
  }

  drained(): void {
    this.#attempt?.resume();
  }

  /** The client is gone, in order or not. */
  closed(code: number, reason: string): void {
    if (this.#phase === "over") return;
    const hasSaidSo = code !== 1006;
    const wasTalking = this.#phase === "talking";
    const outcome: Outcome = { kind: hasSaidSo && wasTalking ? "served" : "caller-left" };
    this.#leave(outcome, "", () => {
      if (hasSaidSo && wasTalking) this.#attempt?.close(...closeToPassOn({ code, reason }));
      else this.#attempt?.abandon();
    });
  }

  // --- lease: a key that can serve this now --------------------------------------------------------------------------

  #takeSetup(message: LiveMessage): void {
    const taken = takeLiveSetup(message, this.#service.aliases);
    if (typeof taken === "string") {
      this.#refuse(taken);
      return;
    }
    const { token, caller } = this.#admission;
    const { model, setup } = taken;
    this.#model = model;
    this.#setup = setup;
    this.#setupAtMs = this.#movedAtMs;
    const refusal = this.#service.guard.refuseModel(caller, model === "" ? undefined : model, this.lane);
    if (refusal !== undefined) {
      this.#refuse(refusal.code, refusal.retryAfterMs);
    } else if (token === undefined) {
      this.#refersTo = this.#service.liveAffinity.resourcesOf(setup.data);
      this.#service.retryBudget.deposit();
      this.#seek();
    } else {
      this.#open(undefined);
    }
  }

  #seek(): void {
    this.#phase = "seeking";
    this.#service.desk.seek(this);
  }

  leased(use: HeldUse): void {
    this.#open(use);
  }

  denied(denial: Denial): void {
    if (this.#phase !== "over") this.#giveLastWord(denial);
  }

  #open(use: HeldUse | undefined): void {
    const { route, token, rawHeaders } = this.#admission;
    const { live } = this.#service.config;
    const setup = this.#setup;
    const credential = use === undefined ? token && { token } : { key: use.secret };
    if (setup === undefined || credential === undefined)
      throw new Error("a session without setup or credential");
    const attempt = new LiveAttempt(use, use?.secret ?? token?.value ?? "", this, this.#service.now);
    this.#phase = "opening";
    this.#attempt = attempt;
    const opening = {
      route,
      rawHeaders: this.#service.affinity.withoutSession(rawHeaders),
      credential,
      messageBytesMax: live.messageBytes,
      handshakeMs: live.setupMs,
    };
    attempt.begin(this.#service.liveUpstream, opening, setup);
  }

  // --- attempt: what came of it --------------------------------------------------------------------------------------

  upstreamMessage(attempt: LiveAttempt, data: Buffer, isBinary: boolean): void {
    this.#movedAtMs = this.#service.now();
    try {
      if (this.#phase === "opening") this.#begin(attempt);
      const usage = usageInLiveMessage(data);
      if (usage !== undefined) this.#usage = usageSum(this.#usage, usage);
      if (attempt.use !== undefined) this.#service.liveAffinity.heard(data, attempt.use.keyId);
      if (!this.#client.send(data, isBinary)) attempt.pause();
    } catch {
      this.#fault();
    }
  }

  /** From here on the client sees what this key gives. */
  #begin(attempt: LiveAttempt): void {
    this.#phase = "talking";
    this.#begunAtMs = this.#service.now();
    this.#setup = undefined;
    this.#note(attempt, "served");
    const { use } = attempt;
    if (use !== undefined) this.#service.desk.prove(use);
    if (use?.owner?.isKnown === false) this.#service.liveAffinity.found(this.#refersTo, use.keyId);
    this.#client.resume();
    for (const { data, isBinary } of this.#ahead.take()) this.#pass(data, isBinary);
  }

  upstreamDrained(): void {
    if (this.#phase === "talking") this.#client.resume();
  }

  ended(_attempt: LiveAttempt, close: LiveClose): void {
    if (this.#phase === "over") return;
    const outcome = outcomeOfSession(close, { nowMs: this.#service.now() });
    const said = close.code === 1006 ? ownClose("upstream-broken") : closeToPassOn(close);
    this.#leave(outcome, reasonOf(outcome), () => this.#client.close(...said));
  }

  failed(attempt: LiveAttempt, outcome: Outcome, close: LiveClose | undefined): void {
    if (this.#phase === "over") return;
    this.#attempt = undefined;
    this.#last = { outcome, close };
    this.#note(attempt, outcome.kind);
    // A token is good for one project alone.
    if (attempt.use === undefined) {
      this.#giveLastWord(denialOfToken(outcome.kind));
      return;
    }
    this.#service.desk.settle(attempt.use, outcome);
    const { keyId, owner } = attempt.use;
    const isUnknown = owner?.isKnown === false;
    const next = afterFailure(this.#service, this.trail, keyId, outcome.kind, isUnknown, this.#setupAtMs);
    this.trail = next.trail;
    if (next.goesOn) this.#seek();
    else this.#giveLastWord(undefined);
  }

  #note({ use }: LiveAttempt, outcome: OutcomeKind): void {
    if (use !== undefined) this.#notes.push({ keyId: use.keyId, fingerprint: use.fingerprint, outcome });
  }

  // --- end: once -----------------------------------------------------------------------------------------------------

  #giveLastWord(denial: Denial | undefined): void {
    const { close, outcome, reason } = liveLastWord(this.#last, denial, this.#service.now());
    this.#client.close(...close);
    this.#end(outcome, reason);
  }

  #refuse(code: ErrorCode, retryAfterMs?: number): void {
    this.#client.close(...ownClose(code, retryAfterMs));
    this.#end("refused", code);
  }

  /** Our own code failed: the session ends all the same, and the key is not blamed. */
  #fault(): void {
    if (this.#phase === "over") return;
    this.#leave({ kind: "caller-left" }, "internal", () => {
      this.#attempt?.abandon();
      this.#client.close(...ownClose("internal"));
    });
  }

  /** Settles what is held, ends the connections as `part` does, and the session. */
  #leave(outcome: Outcome, reason: string, part: () => void): void {
    const attempt = this.#attempt;
    if (this.#phase === "seeking") this.#service.desk.cancel(this);
    if (attempt?.use !== undefined) {
      this.#service.desk.settle(attempt.use, outcome);
      if (!attempt.hasBegun) this.#note(attempt, outcome.kind);
    }
    part();
    this.#end(outcome.kind, reason);
  }

  #end(outcome: RowOutcome, reason: string): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#attempt = undefined;
    this.#setup = undefined;
    this.#ahead.take();
    this.#client.mute();
    this.#service.guard.leave(this.#admission.caller, this.#usage?.totalTokens ?? 0);
    this.#ended(this);
    this.#service.sessionEnded(
      sessionRow(this.#admission, {
        atMs: this.#service.now(),
        begunAtMs: this.#begunAtMs,
        model: this.#model,
        outcome,
        reason,
        notes: this.#notes,
        bytesIn: this.#client.bytesIn,
        bytesOut: this.#client.bytesOut,
        usage: this.#usage,
      }),
    );
  }

  // --- what time brings ----------------------------------------------------------------------------------------------

  /** Looks whether anything is late, idle or gone; called now and then. */
  sweep(nowMs: number): void {
    const { live, timeouts } = this.#service.config;
    const vitality = { pingMs: live.pingMs, stallMs: timeouts.clientStallMs };
    if (this.#phase === "setup" && nowMs - this.#movedAtMs > live.setupMs) {
      this.#refuse("live-setup-late");
      return;
    }
    if (this.#phase === "talking" && nowMs - this.#movedAtMs > live.idleMs) {
      this.#goAway("idle", GOING_AWAY.idle);
      return;
    }
    const health = this.#client.vitality(vitality, nowMs);
    if (health !== "alive") {
      this.#client.cut();
      this.#leave({ kind: "caller-left" }, health, () => this.#attempt?.abandon());
      return;
    }
    this.#attempt?.sweep(vitality, nowMs);
  }

  /** Says that the session will have to end; the client may come back elsewhere in time. */
  announceEnd(leftMs: number): void {
    if (this.#phase === "talking") this.#client.send(Buffer.from(goAwayMessage(leftMs)), true);
  }

  /** The grace is over. */
  shutDown(): void {
    if (this.#phase !== "over") this.#goAway("shutdown", GOING_AWAY.shutdown);
  }

  /** Lets go of the connection, whatever the client does. */
  cut(): void {
    this.#client.cut();
  }

  #goAway(reason: string, { code, text }: { readonly code: number; readonly text: string }): void {
    const kind = this.#phase === "talking" ? "served" : "caller-left";
    this.#leave({ kind }, reason, () => {
      if (kind === "served") this.#attempt?.close(1001, "");
      else this.#attempt?.abandon();
      this.#client.close(code, text);
    });
  }
}
