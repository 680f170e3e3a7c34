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

/** How patient a client has to be; numbers of polls, so that no test waits for time. */
export interface PollOptions {
  /** `files.get` calls until a file is ACTIVE. Default 0: it is so at once, as small ones are. */
  readonly filePolls?: number;
  /** Polls until a batch, video or background interaction is done. Default 2: one finds it running. */
  readonly jobPolls?: number;
}

export class Resources {
  readonly filePolls: number;
  readonly jobPolls: number;
  readonly kept = new KeptBytes();
  readonly uploads = new UploadSessions(this.kept);
  readonly files = new Shelf<FileRecord>();
  readonly caches = new Shelf<CacheRecord>();
  readonly batches = new Shelf<BatchRecord>();
  readonly operations = new Shelf<OperationRecord>();
  readonly stores = new Shelf<StoreRecord>();
  readonly documents = new Shelf<DocumentRecord>();
  readonly tunedModels = new Shelf<TunedModelRecord>();
  readonly authTokens = new Shelf<AuthTokenRecord>();
  readonly interactions = new Shelf<InteractionRecord>();
  readonly collections = new Shelf<CollectionRecord>();
  readonly implicitCache: ImplicitCache;

  constructor(options: PollOptions & { readonly implicitCacheTokensMin?: number }) {
    this.filePolls = options.filePolls ?? 0;
    this.jobPolls = options.jobPolls ?? 2;
    this.implicitCache = new ImplicitCache(options.implicitCacheTokensMin);
  }
}
