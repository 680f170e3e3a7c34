/**
 * What ties one request to a project: the resources that it names, and those that its answer tells of. Worker threads;
 * one for each request. A client hears of something new only once every worker's next request would find it: whoever
 * ends the answer waits for that with {@link RequestAffinity.whenKept}.
 */
import type { Denial, KeyId } from "@gemini-gateway/core/lease";
import { continuationInTail, resourcesInInteraction } from "@gemini-gateway/gemini/resources/answer-events";
import { deletionTold, resourcesInAnswer } from "@gemini-gateway/gemini/resources/answer-resources";
import type { Told } from "@gemini-gateway/gemini/resources/answer-told";
import type { BodyReading } from "@gemini-gateway/gemini/resources/body-reading";
import { resourcesOfRequest } from "@gemini-gateway/gemini/resources/request-resources";
import { EventLines } from "@gemini-gateway/gemini/resources/event-lines";
import { mayBePublic, type Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { Route } from "@gemini-gateway/gemini/route";
import { unpacked, type KeptAnswer } from "../kept-answer.ts";
import { type Conversation, NO_KEY } from "../../affinity/conversation-table.ts";
import type { HeldUse } from "../lease-seeker.ts";
import type { Affinity } from "./affinity.ts";
import { entriesFound, entriesTold } from "./resource-entries.ts";

const NONE: readonly never[] = [];
/** Resources of one stream that are remembered to have been told; beyond it some are told again. */
const HEARD_MAX = 1_000;

export class RequestAffinity {
  /** What the request names, each root once. */
  resources: readonly Resource[] = NONE;
  /** The same by canonical name, as the lease desk wants it; undefined when there is nothing. */
  names: readonly string[] | undefined;
  /**
   * A key of the project that served the conversation so far, or where what the request names is likely to be; undefined
   * when it begins, or none is known.
   */
  preference: KeyId | undefined;
  /** The same, when no other will do: another has refused its signatures. */
  onlyProjectOf: KeyId | undefined;
  /** Whether the conversation carries signatures that only the project which issued them may take. */
  isSigned = false;
  /** See conversation-table.ts; undefined when the request is of none. */
  #conversation: Conversation | undefined;
  /** The request is the conversation's first, as far as can be seen. */
  #isOpening = false;
  readonly #affinity: Affinity;
  readonly #route: Route;
  readonly #client: string;
  readonly #now: () => number;
  /** Lessons on their way to the primary. */
  #unkept = 0;
  #then: (() => void) | undefined;
  /** Of a stream that tells of resources as it goes. */
  #events: EventLines | undefined;
  /** Names of resources that its events have told of. */
  #heard: Set<string> | undefined;

  /** @param client the name of whoever asks */
  constructor(affinity: Affinity, route: Route, client: string, now: () => number) {
    this.#affinity = affinity;
    this.#route = route;
    this.#client = client;
    this.#now = now;
  }

  /** Takes in what the request says, before it gets a key. @param session see {@link Affinity.sessionOf} */
  take(reading: BodyReading | undefined, model: string, session: Conversation | undefined): void {
    const { resource, below, upstreamPath } = this.#route;
    const isNamedInLine = resource !== undefined || upstreamPath.includes("upload_id");
    this.resources = isNamedInLine
      ? resourcesOfRequest(below, queryOf(upstreamPath), reading)
      : (reading?.resources ?? NONE);
    if (this.resources.length > 0) {
      this.names = this.resources.map(({ root }) => root);
      // What binds it binds what follows in a session that the client named.
      this.#conversation = session;
      // Of no weight where the owner is known: this is where a search begins. What may be everybody's is not searched for.
      if (session !== undefined) this.preference = this.#keyOf(session);
      else if (!this.resources.every(mayBePublic)) this.preference = this.#affinity.homeOf(this.#client);
    } else if (this.#affinity.conversations.isOn) {
      this.#takeConversation(reading, model, session);
    }
  }

  /** A conversation's first request goes anywhere; where it went is remembered for those that go on with it. */
  #takeConversation(
    reading: BodyReading | undefined,
    model: string,
    session: Conversation | undefined,
  ): void {
    const { generates, operation } = this.#route;
    this.isSigned = reading?.isSigned === true;
    const lead = generates || operation === "interactions.create" ? reading?.lead : undefined;
    const conversation = session ?? lead?.key(model);
    if (conversation === undefined) return;
    this.#conversation = conversation;
    this.#isOpening = session === undefined && !this.isSigned && (lead?.turnCount ?? 0) < 2;
    if (this.#isOpening) return;
    this.preference = this.#keyOf(conversation);
  }

  #keyOf(conversation: Conversation): KeyId | undefined {
    const keyId = this.#affinity.conversations.find(conversation);
    return keyId === NO_KEY ? undefined : keyId;
  }

  /**
   * This key's project has refused something as not its own. Says whether another may have it, which then is where the
   * next attempt has to go.
   */
  mayBeElsewhere({ owner, isElsewhere }: HeldUse): boolean {
    if (owner !== undefined) return !owner.isKnown;
    if (!this.isSigned || this.preference === undefined) return this.isSigned;
    this.onlyProjectOf = isElsewhere === true ? this.preference : undefined;
    return this.onlyProjectOf !== undefined;
  }

  /**
   * Whether the one project whose signatures the request carries cannot serve now: that is the truth about it, and not what
   * another project said of them. One that is gone never will.
   */
  isOwnDenial(denial: Denial | undefined): boolean {
    return denial !== undefined && denial.reason !== "owner-gone" && this.onlyProjectOf !== undefined;
  }

  /** A good answer has begun: what the request named is of this key's project. */
  served({ keyId, owner, isElsewhere }: HeldUse): void {
    const conversation = this.#conversation;
    if (conversation !== undefined && this.#isOpening)
      this.#affinity.opened(conversation, keyId, this.#now());
    else if (conversation !== undefined && this.names !== undefined)
      this.#affinity.conversations.keep(conversation, keyId);
    else if (conversation !== undefined) this.#wentOn(conversation, keyId, isElsewhere === true);
    if (owner === undefined || owner.resources.length === this.resources.length) return;
    const unknown = this.resources.filter(({ root }) => !owner.resources.includes(root));
    this.#learn(entriesFound(unknown, keyId, this.#now()));
  }

  #wentOn(conversation: Conversation, keyId: KeyId, isElsewhere: boolean): void {
    // To find it has made it the last heard of, too.
    if (keyId !== this.preference) this.#affinity.conversations.keep(conversation, keyId);
    if (this.preference !== undefined)
      this.#affinity.count(isElsewhere ? "conversationsMoved" : "conversationsKept");
  }

  /** A good answer was read whole. */
  answered({ keyId }: HeldUse, answer: KeptAnswer): void {
    switch (this.#route.tells) {
      case "none":
        return;
      case "generation":
        return this.#tell(continuationInTail(unpacked(answer), this.#now()), keyId);
      case "resource":
      case "upload":
        return this.#tell(resourcesInAnswer(this.#route.below, unpacked(answer), this.#now()), keyId);
      case "interaction":
        return this.#answeredInteraction(unpacked(answer), keyId);
      case "deletion": {
        const told = deletionTold(this.#route.below);
        if (told !== undefined) this.#forget([told.resource.root]);
      }
    }
  }

  /** A piece of a good answer passes. */
  heard({ keyId }: HeldUse, chunk: Buffer): void {
    if (this.#route.tells !== "interaction") return;
    this.#events ??= new EventLines();
    for (const data of this.#events.push(chunk)) {
      const fresh = resourcesInInteraction(data, this.#now()).filter(
        ({ resource }) => !this.#hasHeard(resource),
      );
      this.#tell(fresh, keyId);
    }
  }

  /** Events name the same interaction again and again. */
  #hasHeard({ root }: Resource): boolean {
    this.#heard ??= new Set();
    if (this.#heard.has(root)) return true;
    if (this.#heard.size < HEARD_MAX) this.#heard.add(root);
    return false;
  }

  /** A good answer that was relayed has ended well. @param tail its last bytes */
  ended({ keyId }: HeldUse, tail: Buffer): void {
    if (this.#route.tells === "generation") this.#tell(continuationInTail(tail, this.#now()), keyId);
  }

  /** Whether all that was learnt so far is known to every worker. */
  get isKept(): boolean {
    return this.#unkept === 0;
  }

  /** Calls back, once, when it is; for an answer of which something is not yet. */
  whenKept(then: () => void): void {
    this.#then = then;
  }

  /** One interaction, or a list of them. */
  #answeredInteraction(body: Buffer, keyId: number): void {
    const nowMs = this.#now();
    const told = [
      ...resourcesInInteraction(body.toString("utf8"), nowMs),
      ...resourcesInAnswer(this.#route.below, body, nowMs),
    ];
    this.#tell(told, keyId);
  }

  #tell(told: readonly Told[], keyId: number): void {
    if (told.length > 0) this.#learn(entriesTold(told, keyId));
  }

  #learn(entries: ReturnType<typeof entriesTold>): void {
    const [first] = entries;
    if (first === undefined) return;
    this.#affinity.settled(this.#client, first.keyId);
    this.#unkept += 1;
    this.#affinity.resources.learn(entries, () => this.#kept());
  }

  #forget(names: readonly string[]): void {
    this.#unkept += 1;
    this.#affinity.resources.forget(names, () => this.#kept());
  }

  #kept(): void {
    this.#unkept -= 1;
    if (this.#unkept > 0) return;
    const then = this.#then;
    this.#then = undefined;
    then?.();
  }
}

function queryOf(path: string): string {
  const queryAt = path.indexOf("?");
  return queryAt < 0 ? "" : path.slice(queryAt + 1);
}
