/**
 * What the pages of a list teach about who owns what: a client that sees a name in a list will ask for it next. Worker
 * threads.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { resourcesInAnswer } from "@gemini-gateway/gemini/resources/answer-resources";
import { mayBePublic, resourceIn } from "@gemini-gateway/gemini/resources/resource-name";
import type { ResourceEntry } from "../../affinity/messages.ts";
import type { ResourceDesk } from "../affinity/resource-desk.ts";

/** Resources learnt from one list: more than its longest page shows. */
const ENTRIES_MAX = 1_024;

export class ListLessons {
  readonly #below: string;
  readonly #now: () => number;
  readonly #entries: ResourceEntry[] = [];
  #pages = 0;

  /** @param below decoded path below the version */
  constructor(below: string, now: () => number) {
    this.#below = below;
    this.#now = now;
  }

  /** Pages taken so far. */
  get pages(): number {
    return this.#pages;
  }

  /** The canonical name of an item that a request for the next page names; "" for what is no name. */
  nameOf(collection: string, item: string): string {
    return resourceIn(collection, item)?.root ?? "";
  }

  /** Takes a page that came with this key. What Google may show to every project is nobody's. */
  take(keyId: KeyId, body: Buffer): void {
    this.#pages += 1;
    for (const { resource, expiresAtMs } of resourcesInAnswer(this.#below, body, this.#now())) {
      if (mayBePublic(resource) || this.#entries.length >= ENTRIES_MAX) continue;
      const entry = { name: resource.root, keyId };
      this.#entries.push(expiresAtMs === undefined ? entry : { ...entry, expiresAtMs });
    }
  }

  /** Tells the primary; `kept`, called once, says that every worker's next request finds it. */
  teach(desk: Pick<ResourceDesk, "learn">, kept: () => void): void {
    if (this.#entries.length === 0) kept();
    else desk.learn(this.#entries, kept);
  }
}
