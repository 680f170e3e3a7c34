/**
 * Doubly linked rings: the scheduler's queues. An item owns its links, so that it leaves a queue in O(1) without
 * knowing which one it stands in. Pure data structure of the primary thread; never allocates while items move.
 */

/** A place in a ring. A ring's head is a link without a value; an item's link alone is a ring of one. */
export class Link<T> {
  /** Set once, by whoever makes the link. */
  value: T | undefined;
  previous: Link<T> = this;
  next: Link<T> = this;

  constructor(value?: T) {
    this.value = value;
  }

  /** For an item: stands in a queue. For a head: the queue is not empty. */
  get isLinked(): boolean {
    return this.next !== this;
  }
}

/** Takes the item out of whichever queue it stands in; harmless when it stands in none. */
export function unlink<T>(link: Link<T>): void {
  link.previous.next = link.next;
  link.next.previous = link.previous;
  link.previous = link;
  link.next = link;
}

/** Puts the item last, leaving the queue it stood in. */
export function append<T>(head: Link<T>, link: Link<T>): void {
  unlink(link);
  link.previous = head.previous;
  link.next = head;
  head.previous.next = link;
  head.previous = link;
}

/** Puts the item first, leaving the queue it stood in. */
export function prepend<T>(head: Link<T>, link: Link<T>): void {
  unlink(link);
  append(head.next, link);
}

/** Moves all items of `source` behind those of `target`, in O(1). */
export function appendAll<T>(target: Link<T>, source: Link<T>): void {
  if (!source.isLinked) return;
  const [first, last] = [source.next, source.previous];
  first.previous = target.previous;
  target.previous.next = first;
  last.next = target;
  target.previous = last;
  source.next = source;
  source.previous = source;
}

/** The first item that is accepted. Costs one step for each item refused before it. */
export function firstOf<T>(head: Link<T>, isAccepted: (item: T) => boolean): T | undefined {
  for (let link = head.next; link !== head; link = link.next) {
    const item = link.value as T;
    if (isAccepted(item)) return item;
  }
  return undefined;
}
