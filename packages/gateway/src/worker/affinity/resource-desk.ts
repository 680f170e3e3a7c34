/**
 * Tells the primary what this worker's answers taught about who owns what, and says when it is known everywhere: a
 * client's next request may come to any worker, so its answer is held until then. Worker threads.
 * What is learnt in one turn of the event loop travels in one message.
 */
import {
  type AffinityToPrimary,
  type AffinityToWorker,
  RESOURCES_PER_MESSAGE_MAX,
  type ResourceEntry,
} from "../../affinity/messages.ts";

/** Nobody's answer is held longer for it: a primary that is stuck costs at most a search. Milliseconds. */
const KEPT_WAIT_MAX_MS = 1_000;

/** One message on its way, with those who wait for it. */
interface Parcel {
  readonly id: number;
  readonly waiting: (() => void)[];
  readonly timer: NodeJS.Timeout;
}

export class ResourceDesk {
  readonly #post: (message: AffinityToPrimary) => void;
  #entries: ResourceEntry[] = [];
  #forgotten: string[] = [];
  #waiting: (() => void)[] = [];
  #isPlanned = false;
  #lastId = 0;
  /** By number; as many as are not answered yet, each for a time at most. */
  readonly #parcels = new Map<number, Parcel>();

  constructor(post: (message: AffinityToPrimary) => void) {
    this.#post = post;
  }

  /** What is not known everywhere yet, in requests that wait for it. */
  get waiting(): number {
    let waiting = this.#waiting.length;
    for (const parcel of this.#parcels.values()) waiting += parcel.waiting.length;
    return waiting;
  }

  /** These are of their keys; `kept`, called once, says that any worker's next request finds it, or must be able to do without. */
  learn(entries: readonly ResourceEntry[], kept: () => void): void {
    // What fills a message goes ahead; messages arrive in order, so that the last one speaks for all.
    for (const entry of entries) {
      if (this.#entries.length + this.#forgotten.length >= RESOURCES_PER_MESSAGE_MAX) this.#send();
      this.#entries.push(entry);
    }
    this.#await(kept);
  }

  /** These were deleted. */
  forget(names: readonly string[], kept: () => void): void {
    this.#forgotten.push(...names);
    this.#await(kept);
  }

  hear({ id }: AffinityToWorker): void {
    const parcel = this.#parcels.get(id);
    if (parcel !== undefined) this.#deliver(parcel);
  }

  #await(kept: () => void): void {
    this.#waiting.push(kept);
    if (this.#entries.length + this.#forgotten.length >= RESOURCES_PER_MESSAGE_MAX) return this.#send();
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => this.#send());
  }

  #send(): void {
    this.#isPlanned = false;
    if (this.#waiting.length + this.#entries.length === 0) return;
    this.#lastId += 1;
    const parcel: Parcel = {
      id: this.#lastId,
      waiting: this.#waiting,
      timer: setTimeout(() => this.#deliver(parcel), KEPT_WAIT_MAX_MS),
    };
    this.#parcels.set(parcel.id, parcel);
    this.#post({
      type: "resource.learnt",
      id: parcel.id,
      entries: this.#entries,
      forgotten: this.#forgotten,
    });
    this.#entries = [];
    this.#forgotten = [];
    this.#waiting = [];
  }

  #deliver({ id, waiting, timer }: Parcel): void {
    clearTimeout(timer);
    this.#parcels.delete(id);
    for (const kept of waiting) kept();
  }
}
