/**
 * A Live session once it is set up: the client's messages come in, the server's go out. Pure but for the contents it
 * remembers, which are bounded. Knows nothing of sockets.
 */
import { answerTo } from "../answer.ts";
import { asArray, asObject, asText, fieldOf, isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Model } from "../models.ts";
import { sealed } from "../resources/sealed-text.ts";
import { CLOSES } from "./close-codes.ts";
import type { LiveClose } from "./close-codes.ts";
import { livePrompt, toolContent, turnMessages } from "./live-turn.ts";
import type { LiveSetup } from "./live-turn.ts";

/** Contents of one session that are remembered; the oldest are let go. */
export const CONTENTS_MAX = 200;

export interface ConversationFacts {
  readonly id: string;
  readonly projectName: string;
  readonly model: Model;
  readonly setup: LiveSetup;
  /** True when the client asked for handles to come back with. */
  readonly isResumable: boolean;
  /** Turns before it was resumed. */
  readonly turnsBefore: number;
}

export type Reaction =
  | { readonly kind: "messages"; readonly messages: readonly object[] }
  | { readonly kind: "close"; readonly close: LiveClose };

export class LiveConversation {
  readonly #facts: ConversationFacts;
  #contents: unknown[] = [];
  #audioBytes = 0;
  #turns: number;

  constructor(facts: ConversationFacts) {
    this.#facts = facts;
    this.#turns = facts.turnsBefore;
  }

  /** The first messages of the server. */
  opening(): readonly object[] {
    return [{ setupComplete: {} }, ...this.#resumption()];
  }

  /** What the server says to one message of the client. */
  react(message: unknown): Reaction {
    if (!isObject(message)) return { kind: "close", close: CLOSES.invalidArgument };
    const content = fieldOf(message, "clientContent");
    const realtime = fieldOf(message, "realtimeInput");
    const toolResponse = fieldOf(message, "toolResponse");
    if (isObject(content)) return this.#takeContent(content);
    if (isObject(realtime)) return this.#takeRealtime(realtime);
    if (isObject(toolResponse)) return this.#turn([toolContent(toolResponse)]);
    return { kind: "close", close: CLOSES.invalidArgument };
  }

  #takeContent(content: JsonObject): Reaction {
    const turns = asArray(content["turns"]);
    if (fieldOf(content, "turnComplete") === true) return this.#turn(turns);
    this.#remember(turns);
    return { kind: "messages", messages: [] };
  }

  /** Audio is only counted; its end, or a text, makes a turn. */
  #takeRealtime(input: JsonObject): Reaction {
    const text = asText(input["text"]);
    if (text !== undefined) return this.#turn([{ role: "user", parts: [{ text }] }]);
    const chunks = [input["audio"], input["video"], ...asArray(fieldOf(input, "mediaChunks"))];
    for (const chunk of chunks)
      this.#audioBytes += Buffer.byteLength(asText(asObject(chunk)["data"]) ?? "", "base64");
    const isOver = fieldOf(input, "audioStreamEnd") === true || fieldOf(input, "activityEnd") !== undefined;
    if (!isOver) return { kind: "messages", messages: [] };
    const heard = `${this.#audioBytes} bytes of audio`;
    this.#audioBytes = 0;
    return this.#turn([{ role: "user", parts: [{ text: heard }] }]);
  }

  #turn(contents: readonly unknown[]): Reaction {
    const { id, projectName, model, setup } = this.#facts;
    this.#remember(contents);
    this.#turns += 1;
    const prompt = livePrompt(setup, this.#contents);
    const responseId = `${id}-${this.#turns}`;
    const answer = answerTo({ prompt, projectName, model, responseId, fault: undefined });
    return { kind: "messages", messages: [...turnMessages(setup, answer), ...this.#resumption()] };
  }

  #remember(contents: readonly unknown[]): void {
    this.#contents = [...this.#contents, ...contents].slice(-CONTENTS_MAX);
  }

  /** A new handle; it says how far the session was, so that a resumed one goes on counting. */
  #resumption(): readonly object[] {
    const { isResumable, projectName, id } = this.#facts;
    if (!isResumable) return [];
    const newHandle = sealed("liveHandle", projectName, `${id} ${this.#turns}`);
    return [{ sessionResumptionUpdate: { newHandle, resumable: true } }];
  }
}
