/** Everything projects own in one emulator: built once, in memory only. */
import { KeptBytes } from "./byte-intake.ts";
import { ImplicitCache } from "./implicit-cache.ts";
import type {
  AuthTokenRecord,
  BatchRecord,
  CacheRecord,
  CollectionRecord,
  DocumentRecord,
  FileRecord,
  InteractionRecord,
  OperationRecord,
  StoreRecord,
  TunedModelRecord,
} from "./records.ts";
import { Shelf } from "./shelf.ts";
import { UploadSessions } from "./upload-sessions.ts";

/** Batches hold their requests, so that fewer of them are kept. */
const BATCHES_PER_PROJECT_MAX = 1000;

/** What a caller may state of the resources; polls are numbers, so that no test waits for time. */
export interface ResourceOptions {
  /** `files.get` calls until a file is ACTIVE. Default 0: it is so at once, as small ones are. */
  readonly filePolls?: number;
  /** Polls until a batch, video or background interaction is done. Default 2: one finds it running. */
  readonly jobPolls?: number;
  /** Smallest repeated beginning that is cached implicitly, tokens. Default Google's 1,024. */
  readonly implicitCacheTokensMin?: number;
  /** Whether a thought signature of another project is served, and marked in the log, or refused with 400. Default served. */
  readonly foreignSignatures?: "served" | "refused";
}

export class Resources {
  readonly filePolls: number;
  readonly jobPolls: number;
  readonly kept = new KeptBytes();
  readonly uploads = new UploadSessions(this.kept);
  readonly files = new Shelf<FileRecord>({ removed: ({ content }) => this.#forget(content) });
  readonly caches = new Shelf<CacheRecord>();
  readonly batches = new Shelf<BatchRecord>({ perProjectMax: BATCHES_PER_PROJECT_MAX });
  readonly operations = new Shelf<OperationRecord>();
  readonly stores = new Shelf<StoreRecord>();
  readonly documents = new Shelf<DocumentRecord>({ removed: ({ content }) => this.#forget(content) });
  readonly tunedModels = new Shelf<TunedModelRecord>();
  readonly authTokens = new Shelf<AuthTokenRecord>();
  readonly interactions = new Shelf<InteractionRecord>();
  readonly collections = new Shelf<CollectionRecord>();
  readonly implicitCache: ImplicitCache;
  readonly refusesForeignSignatures: boolean;

  constructor(options: ResourceOptions) {
    this.filePolls = options.filePolls ?? 0;
    this.jobPolls = options.jobPolls ?? 2;
    this.implicitCache = new ImplicitCache(options.implicitCacheTokensMin);
    this.refusesForeignSignatures = options.foreignSignatures === "refused";
  }

  /** Name of the project that owns a resource, named as in requests; undefined when nobody does. */
  ownerOf(name: string, nowMs: number): string | undefined {
    const shelves = [
      this.files,
      this.caches,
      this.batches,
      this.operations,
      this.stores,
      this.documents,
      this.tunedModels,
      this.authTokens,
      this.interactions,
      this.collections,
    ];
    for (const shelf of shelves) {
      const entry = shelf.find(name, nowMs);
      if (entry !== undefined) return entry.owner;
    }
    return undefined;
  }

  #forget(content: Buffer | undefined): void {
    if (content !== undefined) this.kept.give(content.length);
  }
}
