/**
 * One page of a list over several projects: one project after the other, in the order of their ids, each in its own
 * order. So a position is one project's page token and an offset however many projects there are, and a page costs
 * few calls. Says what to fetch and takes what came; pure. One for each request, on an HTTP worker.
 * A project that fails is left out and named; the list goes on behind it.
 */
import type { Fields } from "../json-fields.ts";
import { itemsOfItsOwn, type ListPage } from "./list-body.ts";
import type { ListPosition } from "./list-cursor.ts";
import type { ListRoute } from "./list-route.ts";

/** A call to be made. */
export interface ListFetch {
  readonly project: string;
  readonly pageSize: number;
  /** "" for the project's first page. */
  readonly pageToken: string;
}

/** What is known of one project. */
interface Share {
  readonly project: string;
  /** Pages fetched, in order, with the token each was asked with. */
  readonly pages: { readonly askedWith: string; readonly page: ListPage }[];
  /** Token of the page to be fetched next; undefined: there is none. */
  nextToken: string | undefined;
  isAsked: boolean;
  hasFailed: boolean;
}

export interface UnionPage {
  readonly items: readonly Fields[];
  /** Undefined at the end of the list. */
  readonly next: ListPosition | undefined;
  /** Projects left out because they failed. */
  readonly failed: readonly string[];
}

interface Filled {
  readonly items: readonly Fields[];
  readonly next: ListPosition | undefined;
  /** Index of the share in which something more has to be fetched to know how the page ends; -1 when it is known. */
  readonly missingAt: number;
}

export class UnionListing {
  readonly #route: ListRoute;
  readonly #size: number;
  readonly #callsMax: number;
  readonly #shares: Share[];
  readonly #skip: number;
  readonly #first: string | undefined;
  #calls = 0;

  /**
   * @param projects ids of those that may own something; in any order.
   * @param size items wanted.
   * @param position where the page begins; undefined for the first. Of a project that is gone: with the one after it.
   * @param callsMax most calls for this page; when they do not suffice it is shorter, and goes on.
   */
  constructor(
    route: ListRoute,
    projects: readonly string[],
    size: number,
    position: ListPosition | undefined,
    callsMax: number,
  ) {
    const ordered = [...new Set(projects)].toSorted((one, other) => (one < other ? -1 : 1));
    this.#route = route;
    this.#size = size;
    this.#callsMax = callsMax;
    this.#first = ordered[0];
    const left = position === undefined ? ordered : ordered.filter((project) => project >= position.project);
    const goesOn = position !== undefined && left[0] === position.project;
    this.#skip = goesOn ? position.skip : 0;
    this.#shares = left.map((project, index) => ({
      project,
      pages: [],
      nextToken: index === 0 && goesOn ? position.pageToken : "",
      isAsked: false,
      hasFailed: false,
    }));
  }

  /**
   * Calls to make now; each is to be answered with {@link take} or {@link fail}.
   * @param atOnce most calls on their way at a time; 1 makes none in vain, more make the page come sooner.
   */
  wants(atOnce: number): ListFetch[] {
    const { missingAt } = this.#fill();
    if (missingAt < 0) return [];
    let onTheirWay = this.#shares.filter(({ isAsked }) => isAsked).length;
    const fetches: ListFetch[] = [];
    for (const [index, share] of this.#shares.entries()) {
      if (onTheirWay >= atOnce || this.#calls >= this.#callsMax) break;
      if (index < missingAt || share.isAsked || share.nextToken === undefined) continue;
      // Of projects further on the first page is fetched ahead, and no more.
      if (index > missingAt && share.pages.length > 0) continue;
      share.isAsked = true;
      this.#calls += 1;
      onTheirWay += 1;
      const skip = share === this.#shares[0] && share.pages.length === 0 ? this.#skip : 0;
      const pageSize = Math.min(this.#size + skip, this.#route.sizeMax);
      fetches.push({ project: share.project, pageSize, pageToken: share.nextToken });
    }
    return fetches;
  }

  take(project: string, page: ListPage): void {
    const share = this.#asked(project);
    if (share === undefined) return;
    const items = project === this.#first ? page.items : itemsOfItsOwn(this.#route, page.items);
    share.pages.push({ askedWith: share.nextToken ?? "", page: { items, nextToken: page.nextToken } });
    share.nextToken = page.nextToken === "" ? undefined : page.nextToken;
  }

  fail(project: string): void {
    const share = this.#asked(project);
    if (share === undefined) return;
    share.hasFailed = true;
    share.nextToken = undefined;
  }

  /** Whether nothing more is to be fetched and nothing is on its way that matters. */
  get isDone(): boolean {
    const { missingAt } = this.#fill();
    return missingAt < 0 || (this.#calls >= this.#callsMax && this.#shares[missingAt]?.isAsked !== true);
  }

  /** The page as far as it is known; whole when {@link isDone}. */
  page(): UnionPage {
    const { items, next } = this.#fill();
    const failed = this.#shares.filter(({ hasFailed }) => hasFailed).map(({ project }) => project);
    return { items, next, failed };
  }

  #asked(project: string): Share | undefined {
    const share = this.#shares.find((one) => one.project === project && one.isAsked);
    if (share !== undefined) share.isAsked = false;
    return share;
  }

  /** Lays the pages one after the other until the union's page is full and it is known whether something follows. */
  #fill(): Filled {
    const items: Fields[] = [];
    for (const [index, share] of this.#shares.entries()) {
      let skip = index === 0 ? this.#skip : 0;
      for (const { askedWith, page } of share.pages) {
        const fresh = page.items.slice(skip);
        const room = this.#size - items.length;
        if (fresh.length > room) {
          const next = { project: share.project, pageToken: askedWith, skip: skip + room };
          return { items: [...items, ...fresh.slice(0, room)], next, missingAt: -1 };
        }
        items.push(...fresh);
        skip = 0;
      }
      if (share.nextToken === undefined) continue;
      const next = { project: share.project, pageToken: share.nextToken, skip };
      // A project's own next page is taken for granted; whether another project has anything has to be seen, since
      // clients stumble over a page that is empty.
      const isFull = items.length >= this.#size && share.pages.length > 0;
      return { items, next, missingAt: isFull ? -1 : index };
    }
    return { items, next: undefined, missingAt: -1 };
  }
}
