/**
 * One Live connection from the accepted handshake to the close: waits for the setup, has it judged, then hands messages
 * to and fro. Keeps the log of its call true. Runs on the emulator's thread.
 */
import type { Duplex } from "node:stream";
import type { Call } from "../call-log.ts";
import type { DeliveryTools } from "../delivery.ts";
import type { ActiveFault } from "../fault-rules.ts";
import { asObject, fieldOf, isObject, prettyJson } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { WebSocketPeer } from "../websocket/peer.ts";
import { CLOSES } from "./close-codes.ts";
import type { LiveClose } from "./close-codes.ts";
import type { Admission } from "./live-admission.ts";
import type { LiveConversation } from "./live-conversation.ts";
import { goAwayMessage, LiveOutbox } from "./live-outbox.ts";

/** What a session asks of the service that holds it. */
export interface SessionHost {
  /** Judges the setup, given parsed and as it came; called once. The faults are those of this session. */
  setUp(
    session: LiveSession,
    setup: JsonObject,
    payload: Buffer,
  ): { readonly admission: Admission; readonly faults: readonly ActiveFault[] };
  changed(session: LiveSession): void;
  held(session: LiveSession, ruleId: number): void;
  resumed(session: LiveSession): void;
  /** Exactly once. */
  ended(session: LiveSession, isClean: boolean): void;
}

export class LiveSession {
  readonly call: Call;
  readonly #host: SessionHost;
  readonly #peer: WebSocketPeer;
  readonly #outbox: LiveOutbox;
  #conversation: LiveConversation | undefined;

  constructor(call: Call, host: SessionHost, socket: Duplex, tools: DeliveryTools) {
    this.call = call;
    this.#host = host;
    this.#outbox = new LiveOutbox(
      {
        write: (message) => this.#write(message),
        close: ({ code, reason }) => this.#peer.close(code, reason),
        reset: () => this.#peer.reset(),
        held: (ruleId) => host.held(this, ruleId),
        resumed: () => host.resumed(this),
      },
      tools,
    );
    this.#peer = new WebSocketPeer(socket, {
      message: (payload) => this.#take(payload),
      closed: (code, isClean) => this.#closed(code, isClean),
    });
  }

  /** Begins to read; once, when the host knows the session. */
  start(head: Buffer): void {
    this.#peer.start(head);
  }

  /** True from `setupComplete` on. */
  get isSetUp(): boolean {
    return this.#conversation !== undefined;
  }

  close(close: LiveClose): void {
    this.#outbox.close(close);
  }

  release(): void {
    this.#outbox.release();
  }

  /** Only a session that is set up hears of it. */
  goAway(timeLeftSeconds: number): void {
    if (this.isSetUp) this.#outbox.send(goAwayMessage(timeLeftSeconds));
  }

  ping(): void {
    this.#peer.ping();
  }

  #take(payload: Buffer): void {
    const message = parsed(payload);
    if (this.#conversation === undefined) return this.#setUp(message, payload);
    const reaction = this.#conversation.react(message);
    if (reaction.kind === "close") this.close(reaction.close);
    else this.#outbox.send(...reaction.messages);
  }

  #setUp(message: unknown, payload: Buffer): void {
    const setup = isObject(message) ? fieldOf(asObject(message), "setup") : undefined;
    if (!isObject(setup)) return this.close(CLOSES.invalidArgument);
    const { admission, faults } = this.#host.setUp(this, setup, payload);
    this.#outbox.begin(faults);
    if (admission.kind === "refused") return this.close(admission.close);
    this.#conversation = admission.conversation;
    this.#outbox.send(...admission.conversation.opening());
  }

  #write(message: object): void {
    this.#peer.sendBinary(Buffer.from(prettyJson(message)));
    this.call.events += 1;
    this.#host.changed(this);
  }

  #closed(code: number, isClean: boolean): void {
    this.#outbox.end();
    this.call.closeCode = code;
    this.#host.ended(this, isClean);
  }
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
