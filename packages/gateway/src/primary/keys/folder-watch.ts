/**
 * Tells when something in the folder of keys changes. A hint, not a promise: links to files elsewhere, network disks and
 * full watch tables stay silent, which is why the sync also runs at intervals.
 * Primary thread. Must never throw or end the process because a folder cannot be watched.
 */
import { type FSWatcher, watch } from "node:fs";

export class FolderWatch implements Disposable {
  readonly #path: string;
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;
  #identity: string | undefined;

  constructor(path: string, onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
  }

  /** Watches the folder that is now at the path: call it with that folder's identity whenever it has been read. */
  follow(identity: string): void {
    if (this.#watcher !== undefined && this.#identity === identity) return;
    this[Symbol.dispose]();
    try {
      const watcher = watch(this.#path, { persistent: false }, () => this.#onChange());
      watcher.on("error", () => this[Symbol.dispose]());
      this.#watcher = watcher;
      this.#identity = identity;
    } catch {
      // The interval finds changes too, only later; the next read tries again.
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
