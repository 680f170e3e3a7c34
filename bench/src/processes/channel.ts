/**
 * Orders to a child over its message channel, one at a time, each answered once. Runs in the bench's main process. A
 * child that ends, or takes longer than it may, fails the order.
 */
import type { Child } from "./child-processes.ts";

/** Longest time of one order: the longest loads take a few minutes. */
const ORDER_MS_MAX = 300_000;

type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly message: string };

export class Channel {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Resolves when the child has said that it is ready. */
  static async open(child: Child): Promise<Channel> {
    const channel = new Channel(child);
    await channel.#answer();
    return channel;
  }

  /** Sends an order and gives its result. */
  ask(order: object): Promise<unknown> {
    const answer = this.#answer();
    this.#child.process.send(order);
    return answer;
  }

  async #answer(): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      reject(new Error(`${this.#child.name} gave no answer within ${ORDER_MS_MAX / 1000} s`));
    }, ORDER_MS_MAX);
    const hear = (answer: Answer): void => {
      if (answer.kind === "failed") reject(new Error(`${this.#child.name}: ${answer.message}`));
      else resolve(answer.kind === "done" ? answer.result : undefined);
    };
    this.#child.process.once("message", hear);
    try {
      return await Promise.race([promise, this.#child.failed]);
    } finally {
      clearTimeout(timer);
      this.#child.process.off("message", hear);
    }
  }
}
