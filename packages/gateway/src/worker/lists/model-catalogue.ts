/**
 * The lists of models that this worker has put together lately, and those who wait for one. Worker threads. A list asks
 * many projects, and clients ask for it often: it is made at most every few minutes, once for all who ask meanwhile.
 */
import { ModelSurvey, type Surveyed, type SurveyOptions } from "./model-survey.ts";

/** For how long a list is given out; one that projects are missing from is soon made anew. Milliseconds. */
const FRESH_MS = 300_000;
const FRESH_INCOMPLETE_MS = 10_000;
/** Lists kept, by what was asked: two forms and three versions, and queries that nobody needs. */
const LISTS_MAX = 8;

/** Whoever waits for a list. */
export interface ModelReader {
  /** Called once, unless the reader has left. */
  surveyed(result: Surveyed): void;
}

interface Shelf {
  survey: ModelSurvey | undefined;
  readonly waiting: Set<ModelReader>;
  kept: Surveyed | undefined;
  untilMs: number;
}

export class ModelCatalogue {
  readonly #now: () => number;
  /** By path and query. */
  readonly #shelves = new Map<string, Shelf>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Gives the list at once when it is fresh, else once it has been made. */
  read(options: SurveyOptions, reader: ModelReader): void {
    const shelf = this.#shelfOf(options.path);
    if (shelf.kept !== undefined && this.#now() < shelf.untilMs) {
      reader.surveyed(shelf.kept);
      return;
    }
    shelf.waiting.add(reader);
    if (shelf.survey !== undefined) return;
    shelf.survey = new ModelSurvey(options, (result) => this.#surveyed(shelf, result));
    shelf.survey.begin();
  }

  /** The reader wants it no more. */
  leave(path: string, reader: ModelReader): void {
    const shelf = this.#shelves.get(path);
    if (shelf === undefined || !shelf.waiting.delete(reader) || shelf.waiting.size > 0) return;
    shelf.survey?.abandon();
    shelf.survey = undefined;
  }

  /** The pool or the settings have changed: what is asked for from now on is made anew. */
  forget(): void {
    for (const shelf of this.#shelves.values()) shelf.untilMs = Number.NEGATIVE_INFINITY;
  }

  #surveyed(shelf: Shelf, result: Surveyed): void {
    shelf.survey = undefined;
    const freshMs = result.misses.length === 0 ? FRESH_MS : FRESH_INCOMPLETE_MS;
    if (result.models !== undefined) {
      // The attempts are told to those for whom they were made.
      shelf.kept = { ...result, notes: [] };
      shelf.untilMs = this.#now() + freshMs;
    }
    const readers = [...shelf.waiting];
    shelf.waiting.clear();
    for (const reader of readers) reader.surveyed(result);
  }

  #shelfOf(path: string): Shelf {
    const known = this.#shelves.get(path);
    if (known !== undefined) return known;
    if (this.#shelves.size >= LISTS_MAX) this.#makeRoom();
    const shelf: Shelf = { survey: undefined, waiting: new Set(), kept: undefined, untilMs: 0 };
    this.#shelves.set(path, shelf);
    return shelf;
  }

  /** Forgets what nobody waits for: those asked for by many more at once are bounded by the requests in progress. */
  #makeRoom(): void {
    for (const [path, shelf] of this.#shelves) if (shelf.waiting.size === 0) this.#shelves.delete(path);
  }
}
