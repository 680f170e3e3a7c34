/**
 * Answers workers that ask for a page about the gateway: its status, its metrics. Primary thread.
 * A page costs a step per key, so it is made at most once in {@link FRESH_MS} however many ask.
 */
import type { HolderId } from "@gemini-gateway/core/lease";
import type { Logger } from "pino";
import type { PageContent, PageName, ToWorker } from "../../protocol.ts";

export interface PageOfficeOptions {
  readonly make: Readonly<Record<PageName, () => Promise<PageContent>>>;
  readonly post: (holder: HolderId, message: ToWorker) => void;
  readonly log: Logger;
  readonly now: () => number;
}

/** For how long a page is given to whoever asks, milliseconds. */
const FRESH_MS = 500;

interface Made {
  readonly atMs: number;
  readonly content: Promise<PageContent | undefined>;
}

export class PageOffice {
  readonly #options: PageOfficeOptions;
  readonly #made = new Map<PageName, Made>();

  constructor(options: PageOfficeOptions) {
    this.#options = options;
  }

  /** Sends the page to the worker; without content when it could not be made. */
  async answer(holder: HolderId, page: PageName): Promise<void> {
    const content = await this.#page(page);
    this.#options.post(holder, { type: "page.answer", page, ...(content === undefined ? {} : { content }) });
  }

  #page(page: PageName): Promise<PageContent | undefined> {
    const nowMs = this.#options.now();
    const made = this.#made.get(page);
    // A clock that went back makes a page old.
    if (made !== undefined && nowMs >= made.atMs && nowMs - made.atMs < FRESH_MS) return made.content;
    const content = this.#make(page);
    this.#made.set(page, { atMs: nowMs, content });
    return content;
  }

  async #make(page: PageName): Promise<PageContent | undefined> {
    try {
      return await this.#options.make[page]();
    } catch (error) {
      this.#options.log.error({ err: error, page }, "a page about the gateway could not be made");
      return undefined;
    }
  }
}
