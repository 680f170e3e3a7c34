/** Which resources one call named, and whose they are: what lets a test say that every call landed on its owner. */

export interface Touch {
  /** As in requests: `files/abc`; for what has no name its kind: `thoughtSignature`, `continuationToken`, `liveHandle`, `upload:<id>`. */
  readonly name: string;
  /** Name of the project that owns it; empty when nobody does. */
  readonly owner: string;
  /** `refused`: the caller may not see it. `foreign`: it is of another project and served all the same. */
  readonly access: "created" | "used" | "refused" | "foreign";
}

/** Touches kept of one call. */
export const TOUCHES_PER_CALL_MAX = 100;

export class TouchList {
  readonly #touches: Touch[] = [];

  add(name: string, owner: string, access: Touch["access"]): void {
    if (this.#touches.length >= TOUCHES_PER_CALL_MAX) return;
    if (this.#touches.some((touch) => touch.name === name && touch.access === access)) return;
    this.#touches.push({ name, owner, access });
  }

  all(): readonly Touch[] {
    return this.#touches;
  }
}
