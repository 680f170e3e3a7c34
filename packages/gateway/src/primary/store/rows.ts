/**
 * The rows of the store as plain data: what the tables take and give.
 * Only {@link KeyRow} and {@link NewKey} hold secrets; they must never be logged or sent over the control channel.
 */
import type { KeyId } from "@gemini-gateway/core/lease";

/** Where the name of a key's project comes from: the operator's label, or an answer of Google's that named it. */
export type ProjectSource = "label" | "learnt";

export interface KeyRow {
  readonly id: KeyId;
  readonly secret: string;
  readonly fingerprint: string;
  /** The operator's label when there is one, else what was learnt, else null. */
  readonly project: string | null;
  readonly projectSource: ProjectSource | null;
  /** The operator's label alone, as in the key file. */
  readonly label: string | null;
  /** Number of its Google project, if an answer has named it. */
  readonly learnt: string | null;
  /** Name of the key file (inside the folder of keys) the key was first found in. */
  readonly sourceFile: string | null;
  /** What the operator wants; whether the key works is told by `health`. */
  readonly enabled: boolean;
  /** What the operator said when the key was last enabled, disabled or reset; null when nothing. */
  readonly note: string | null;
  /** When that was, milliseconds since the epoch; null for never. */
  readonly notedAtMs: number | null;
  readonly addedAtMs: number;
  /** Set when the key vanished from the key files: it is no longer used, but its history is kept. */
  readonly retiredAtMs: number | null;
  /** The scheduler's snapshot, as it was saved; null when none was, or it could not be read. */
  readonly health: unknown;
}

/** What the operator calls a key's project, and the number by which Google's answers named it. */
export type KeyProjects = Pick<KeyRow, "label" | "learnt">;

export interface NewKey {
  readonly secret: string;
  readonly label: string | null;
  readonly sourceFile: string;
}

/** A known key whose label or file is now another. */
export interface KeyPlacement {
  readonly id: KeyId;
  readonly label: string | null;
  readonly sourceFile: string;
}

/** What one sync does to the table. */
export interface KeyChange {
  readonly add: readonly NewKey[];
  readonly restore: readonly KeyPlacement[];
  readonly relabel: readonly KeyPlacement[];
  readonly retire: readonly KeyId[];
}

/** What a {@link KeyChange} did, for those who hold keys in memory. */
export interface AppliedKeyChange {
  /** Keys to be used from now on: new ones, and restored ones with the health they had. */
  readonly added: readonly KeyRow[];
  /** Keys in use whose project or file changed. */
  readonly relabelled: readonly KeyRow[];
  readonly retired: readonly KeyId[];
}

export interface KeyHealthRow {
  readonly id: KeyId;
  /** Anything JSON can hold; null forgets. Evidence in it must be redacted already. */
  readonly health: unknown;
}

export interface LearntProjectRow {
  readonly id: KeyId;
  /** Project number as Google named it. */
  readonly project: string;
}

export interface ModelStateRow {
  /** The quota owner: a project, or whatever the scheduler names a key whose project is unknown. */
  readonly project: string;
  readonly model: string;
  /** Anything JSON can hold. */
  readonly state: unknown;
  readonly updatedAtMs: number;
}

/** One request at its end. Times are rounded to whole milliseconds; `path` must be free of credentials. */
export interface RequestLogRow {
  /** When the request arrived, milliseconds since the epoch. */
  readonly atMs: number;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly model: string | null;
  /** Status the client saw; 0 when it left before any. */
  readonly status: number;
  readonly outcome: string;
  /** Why it ended so; null when it was served. */
  readonly reason: string | null;
  readonly attempts: number;
  readonly firstByteMs: number | null;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  readonly totalTokens: number | null;
  /** The key that gave the answer; null when none did. */
  readonly keyId: KeyId | null;
  /** Name of the auth key, or "anonymous". */
  readonly client: string | null;
  /** Network address the request came from. */
  readonly address: string | null;
}

export interface RequestCounts {
  readonly total: number;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Upstream calls made for them. */
  readonly attempts: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}
