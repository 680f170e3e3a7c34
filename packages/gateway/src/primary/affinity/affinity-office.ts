/**
 * Everything the primary does for affinity: keeps the book of owners in step with what workers learn, turns a wish that
 * names resources into one for the project they are of, and holds the memory in which workers remember conversations,
 * over restarts too. Primary thread.
 */
import type { Denial, KeyId, LeaseWish } from "@gemini-gateway/core/lease";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { Logger } from "pino";
import { allocateConversations } from "../../affinity/conversation-table.ts";
import type { AffinityStart, AffinityToPrimary, AffinityToWorker } from "../../affinity/messages.ts";
import type { NumberedWish, WishAnswer } from "../../protocol.ts";
import type { KeyRing } from "../key-ring.ts";
import type { Steps } from "../keys/steps.ts";
import type { Siblings } from "../siblings.ts";
import type { Store } from "../store/store.ts";
import { AffinityBook } from "./affinity-book.ts";
import { ConversationKeeper } from "./conversation-keeper.ts";
import { OwnerFinder } from "./owner-finder.ts";
import { ProjectList } from "./project-list.ts";

export interface AffinityOfficeOptions {
  readonly scheduler: Pick<Scheduler, "owners">;
  readonly siblings: Pick<Siblings, "keyOf">;
  readonly store: Pick<Store, "resources" | "keys" | "conversations">;
  readonly ring: Pick<KeyRing, "get">;
  /** Most projects that one page of a list asks. */
  readonly listProjects: () => number;
  /** Conversations to be remembered. */
  readonly conversations: number;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Keys of one project whose resources are counted for an explanation. */
const KEYS_COUNTED_MAX = 1_000;

/** A wish as the scheduler is to have it, or why it need not be asked; and what its answer is to say of owners. */
export interface BoundWish {
  readonly wish: LeaseWish;
  readonly denial?: Denial;
  readonly told: Pick<WishAnswer, "owner" | "about" | "detail">;
}

const NOTHING_TOLD = {};

export class AffinityOffice implements Disposable {
  /** Where lists are asked for. */
  readonly projects: ProjectList;
  readonly #options: AffinityOfficeOptions;
  readonly #book: AffinityBook;
  readonly #finder: OwnerFinder;
  readonly #conversations: SharedArrayBuffer;
  readonly #keeper: ConversationKeeper;

  constructor(options: AffinityOfficeOptions) {
    const { scheduler, siblings, store, ring, log, now, listProjects, conversations } = options;
    const { owners } = scheduler;
    this.#options = options;
    this.#book = new AffinityBook({
      table: store.resources,
      projectOf: (keyId) => owners.namedProjectOf(keyId) ?? null,
      log,
      now,
    });
    this.#finder = new OwnerFinder({ book: this.#book, owners, siblings, keys: store.keys });
    const parts = { book: this.#book, finder: this.#finder, owners, ring };
    this.projects = new ProjectList({ ...parts, projectsMax: listProjects });
    this.#conversations = allocateConversations(conversations);
    this.#keeper = new ConversationKeeper({
      memory: this.#conversations,
      rows: store.conversations,
      standInFor: (keyId) => this.#finder.standInFor(keyId),
      log,
      now,
    });
  }

  /** Takes over the conversations of the last run. To be called when the pool is known, before workers start. */
  restore(): Steps<void> {
    return this.#keeper.restore();
  }

  /** What a worker that starts must know. */
  start(): AffinityStart {
    return { conversations: this.#conversations };
  }

  /** Takes in what a worker learnt; once the answer is there, every worker's next wish finds it. */
  hear({ id, entries, forgotten }: AffinityToPrimary): AffinityToWorker {
    this.#book.learn(entries);
    this.#book.forget(forgotten);
    return { type: "resource.kept", id };
  }

  /** Binds a wish to the project that owns what it names. */
  bind({ wish, resources, knownOnly = false }: NumberedWish): BoundWish {
    if (resources === undefined || resources.length === 0) return { wish, told: NOTHING_TOLD };
    const found = this.#finder.find(resources);
    switch (found.kind) {
      case "one": {
        const { keyId: onlyProjectOf, resources: about, detail } = found;
        const told = { owner: "known", about, ...(detail === undefined ? {} : { detail }) } as const;
        return { wish: { ...wish, onlyProjectOf }, told };
      }
      case "unknown":
        return knownOnly
          ? { wish, denial: { reason: "owner-gone", scope: "owner" }, told: { owner: "unknown" } }
          : { wish, told: { owner: "unknown" } };
      case "differ":
        return refused(wish, "owners-differ", found.resources);
      case "gone":
        return refused(wish, "owner-gone", found.resources);
    }
  }

  /** The wish with a key in the pool for the project that it would rather stay with: the one it names may be gone. */
  preferring(wish: LeaseWish): LeaseWish {
    const { preferProjectOf } = wish;
    const keyId = preferProjectOf === undefined ? undefined : this.#finder.standInFor(preferProjectOf);
    return keyId === undefined || keyId === preferProjectOf ? wish : { ...wish, preferProjectOf: keyId };
  }

  /** How many resources are known, and how many of these wait to be written. */
  get counts(): { readonly known: number; readonly unsaved: number } {
    return { known: this.#book.size, unsaved: this.#book.unsaved };
  }

  /** How many resources the project of the key is known to have. Costs a step for each. @throws the system's error */
  countOf(keyId: KeyId): number {
    const { scheduler, store } = this.#options;
    return store.resources.countOf(scheduler.owners.siblingsOf(keyId, KEYS_COUNTED_MAX));
  }

  /** To be called several times a second. */
  tick(): void {
    this.#book.tick();
    this.#keeper.tick();
  }

  /** Another database has taken the place of the one there was. */
  forgetStored(): void {
    this.#book.forgetStored();
    this.#keeper.forgetStored();
  }

  [Symbol.dispose](): void {
    this.#book.flush();
    this.#keeper.flush();
  }
}

function refused(
  wish: LeaseWish,
  reason: "owners-differ" | "owner-gone",
  about: readonly string[],
): BoundWish {
  return { wish, denial: { reason, scope: "owner" }, told: { owner: "known", about } };
}
