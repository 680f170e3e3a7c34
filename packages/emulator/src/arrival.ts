/** A request as it is decided on, and what is decided: the two ends of `decide`. Plain data. */
import type { CallHost } from "./call-log.ts";
import type { Reply } from "./reply.ts";
import type { Touch } from "./resources/touches.ts";
import type { UploadLeg } from "./upload-legs.ts";

/** One complete request. */
export interface Arrival {
  readonly host: CallHost;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names; of a repeated header the first. */
  readonly header: (name: string) => string | undefined;
  /** `too-large` when it was more than the world's bound. */
  readonly body: Buffer | "too-large";
  /** Set when it goes on with an upload; its bytes are then in the upload and not in `body`. */
  readonly leg: UploadLeg | undefined;
}

/** What was found out about the request on the way, for the log. */
export interface Decision {
  readonly reply: Reply;
  readonly key: string;
  readonly project: string;
  readonly operation: string;
  readonly model: string;
  readonly faults: readonly string[];
  readonly resources: readonly Touch[];
}
