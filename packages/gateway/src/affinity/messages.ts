/**
 * What workers and primary tell each other about resources that belong to one project: a part of `protocol.ts`. Plain
 * data. Names are canonical (`files/abc`); what a name stands for is kept by the primary alone.
 */
import type { KeyId } from "@gemini-gateway/core/lease";

/** Most resources that one wish names; a request that names more is bound by the first. */
export const RESOURCES_PER_WISH_MAX = 16;
/** Most entries, and most names to forget, in one message. */
export const RESOURCES_PER_MESSAGE_MAX = 256;
/** Longest name and detail that are kept, UTF-16 units. */
export const RESOURCE_NAME_LENGTH_MAX = 1_024;
export const RESOURCE_DETAIL_LENGTH_MAX = 4_096;

/** Who made a resource. */
export interface ResourceEntry {
  readonly name: string;
  readonly keyId: KeyId;
  /** When it is gone at Google's, milliseconds since the epoch; undefined: not before it is deleted. */
  readonly expiresAtMs?: number;
  /** What must be known to go on with it, such as where an upload continues. Handed back with a lease, shown to nobody. */
  readonly detail?: string;
}

/** Answered by `resource.kept` once the next request, on any worker, finds what is told here. */
export interface AffinityToPrimary {
  readonly type: "resource.learnt";
  readonly id: number;
  readonly entries: readonly ResourceEntry[];
  /** Names of what was deleted. */
  readonly forgotten: readonly string[];
}

export interface AffinityToWorker {
  readonly type: "resource.kept";
  readonly id: number;
}

/** What a worker that starts must know. */
export interface AffinityStart {
  /** See conversation-table.ts. */
  readonly conversations: SharedArrayBuffer;
}
