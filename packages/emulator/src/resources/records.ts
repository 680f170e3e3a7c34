/** What is kept of each kind of resource. Plain data; what changes with polls is mutable and changed by its route alone. */
import type { JsonObject } from "../json.ts";

export interface FileRecord {
  readonly displayName: string | undefined;
  readonly mimeType: string;
  readonly bytes: number;
  readonly sha256Hex: string;
  /** Absent when the file was too large to keep. */
  readonly content: Buffer | undefined;
  readonly source: "UPLOADED" | "GENERATED";
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Of the OpenAI route; absent for files of the native one. */
  readonly purpose: string | undefined;
  /** Polls until it is ACTIVE. */
  pollsLeft: number;
}

export interface CacheRecord {
  readonly model: string;
  readonly displayName: string;
  readonly tokens: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export type BatchState = "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

/** What a batch gives when it is done: in the answer, or as a file. */
export interface BatchOutput {
  readonly responses: readonly JsonObject[];
  /** Name of the file, for a batch that came as one. */
  readonly file: string | undefined;
}

export interface BatchRecord {
  readonly kind: "generate" | "embed" | "openai";
  readonly model: string;
  readonly displayName: string;
  /** Name of the input file; absent for inline requests. */
  readonly inputFile: string | undefined;
  readonly requests: readonly JsonObject[];
  readonly createdAtMs: number;
  /** Of the OpenAI route. */
  readonly endpoint: string;
  state: BatchState;
  /** Polls until it is done. */
  pollsLeft: number;
  updatedAtMs: number;
  output: BatchOutput | undefined;
}

/** A long-running operation: done after some polls, with a result made in advance. */
export interface OperationRecord {
  pollsLeft: number;
  readonly metadata: object | undefined;
  readonly response: object;
}

export interface StoreRecord {
  readonly displayName: string;
  readonly createdAtMs: number;
}

export interface DocumentRecord {
  readonly store: string;
  readonly displayName: string;
  readonly mimeType: string;
  readonly bytes: number;
  readonly content: Buffer | undefined;
  readonly createdAtMs: number;
}

export interface TunedModelRecord {
  readonly displayName: string;
  readonly baseModel: string;
  readonly createdAtMs: number;
}

export interface AuthTokenRecord {
  usesLeft: number;
  /** Until when a session may begin with it, milliseconds since the epoch. */
  readonly newSessionUntilMs: number;
}

/** Any resource of the 3.x surface that is only created, read, patched and deleted. */
export interface CollectionRecord {
  readonly collection: string;
  readonly id: string;
  readonly fields: JsonObject;
  /** Files of an environment by path. */
  readonly files: Map<string, Buffer>;
  readonly executions: JsonObject[];
}

export type InteractionStatus =
  | "in_progress"
  | "requires_action"
  | "completed"
  | "cancelled"
  | "requires_continuation";

export interface InteractionRecord {
  readonly id: string;
  /** What the finished interaction shows, without `status`. */
  readonly body: JsonObject;
  /** Its status when all polls are done. */
  readonly finalStatus: InteractionStatus;
  /** Events of its stream, each with its `event_id`, in order; made anew when asked for, since there may be many. */
  readonly events: () => readonly JsonObject[];
  status: InteractionStatus;
  pollsLeft: number;
}
