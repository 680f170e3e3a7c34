/**
 * What a worker's requests share to stay with the right project: the desk where owners are told, the conversations of
 * all workers, and the settings. Worker threads.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { createHash } from "node:crypto";
import { type Conversation, ConversationTable } from "../../affinity/conversation-table.ts";
import type { AffinityStart, AffinityToPrimary } from "../../affinity/messages.ts";
import { RecentMap } from "../../affinity/recent-map.ts";
import type { GatewayConfig } from "../../config.ts";
import { headerOf } from "../../http1/header-list.ts";
import type { Tally } from "../../shared-counters.ts";
import { ResourceDesk } from "./resource-desk.ts";

export interface AffinityOptions {
  readonly start: AffinityStart;
  /** As it is in effect at the moment. */
  readonly settings: () => GatewayConfig["affinity"];
  readonly post: (message: AffinityToPrimary) => void;
  /** Counts one request of a conversation that went on. */
  readonly count: (tally: Tally) => void;
}

/** Longest name of a conversation that is looked at, characters. */
const SESSION_LENGTH_MAX = 256;
/** Alike openings within this time are hardly one conversation, and their slot must not wander between cores, ms. */
const OPENING_AGAIN_MS = 50;

/** Clients of whom it is remembered where their things were last. */
const CLIENTS_MAX = 1_024;

export class Affinity {
  readonly resources: ResourceDesk;
  readonly conversations: ConversationTable;
  readonly count: (tally: Tally) => void;
  readonly #settings: () => GatewayConfig["affinity"];
  /** By client, a key of the project that its things were last made or found in, as far as this worker saw it. */
  readonly #homes = new RecentMap<KeyId>(CLIENTS_MAX);
  #lastOpening: Conversation = { left: 0, right: 0 };
  #lastOpeningAtMs = Number.NEGATIVE_INFINITY;

  constructor({ start, settings, post, count }: AffinityOptions) {
    this.resources = new ResourceDesk(post);
    this.conversations = new ConversationTable(start.conversations);
    this.count = count;
    this.#settings = settings;
  }

  /** The key served the first request of a conversation. */
  opened(opening: Conversation, keyId: KeyId, nowMs: number): void {
    const last = this.#lastOpening;
    const isSame = last.left === opening.left && last.right === opening.right;
    if (isSame && nowMs - this.#lastOpeningAtMs < OPENING_AGAIN_MS) return;
    this.#lastOpening = opening;
    this.#lastOpeningAtMs = nowMs;
    this.conversations.keep(opening, keyId);
  }

  /** Where to look first for what this client names and nobody knows. */
  homeOf(client: string): KeyId | undefined {
    return this.#homes.get(client);
  }

  /** Something of this client is of this key's project. */
  settled(client: string, keyId: KeyId): void {
    this.#homes.set(client, keyId);
  }

  /** Most projects to be asked for a resource whose owner is not known, the first among them. */
  get projectsAskedMax(): number {
    return Math.max(1, this.#settings().searchProjects);
  }

  /** Most projects that one page of a list is asked of. */
  get projectsListedMax(): number {
    return this.#settings().listProjects;
  }

  /** The headers without the one that names a conversation: it is nobody's business upstream. The same list when it has none. */
  withoutSession(rawHeaders: readonly string[]): readonly string[] {
    const name = this.#settings().sessionHeader.toLowerCase();
    if (headerOf(rawHeaders, name) === undefined) return rawHeaders;
    return rawHeaders.filter((_part, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== name);
  }

  /**
   * The conversation that the client named in the header, as {@link ConversationTable} has it; undefined when it named
   * none. The same name of another client is another conversation.
   */
  sessionOf(rawHeaders: readonly string[], client: string): Conversation | undefined {
    if (!this.conversations.isOn) return undefined;
    const named = headerOf(rawHeaders, this.#settings().sessionHeader.toLowerCase());
    if (named === undefined || named === "" || named.length > SESSION_LENGTH_MAX) return undefined;
    const digest = createHash("sha256").update(`${client}\n${named}`).digest();
    return { left: digest.readInt32LE(0), right: digest.readInt32LE(4) };
  }
}
