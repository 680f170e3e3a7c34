/** Projects as a caller states them: keys, tier, quota, and what Google thinks of each. Pure data, plain JSON. */

/** What Google thinks of a project or of one key. `ok` serves; each other state answers with its own recorded error. */
export type ProjectState =
  | "ok"
  | "suspended"
  | "denied"
  | "leaked"
  | "service-disabled"
  | "service-blocked"
  | "referrer-blocked"
  | "ip-blocked"
  | "credits-depleted"
  | "spending-cap"
  | "location";

/** The states of a key: those of a project, and the ways in which a key alone can die. */
export type KeyState = ProjectState | "invalid" | "expired";

/** Limits of one model in one project. Absent: unlimited. 0: the model is not open to the tier (`limit: 0`). */
export interface QuotaSpec {
  /** Requests per minute; for embeddings, texts per minute. */
  readonly rpm?: number;
  /** Input tokens per minute. */
  readonly tpm?: number;
  /** Requests per Pacific day. */
  readonly rpd?: number;
}

export type Tier = "free" | "paid";

/** One Google project: the owner of quota, billing and keys. */
export interface ProjectSpec {
  readonly name: string;
  /** Project number as errors name it (`projects/<number>`). Default: made from the position in the list. */
  readonly number?: string;
  readonly keys: readonly string[];
  /** Decides the quota ids in 429 bodies. Default `free`. */
  readonly tier?: Tier;
  /** By resolved model name; `*` for the models not named. */
  readonly quotas?: Readonly<Record<string, QuotaSpec>>;
  readonly state?: ProjectState;
  readonly keyStates?: Readonly<Record<string, KeyState>>;
  /** Models this project may not call: 403 "The caller does not have permission". */
  readonly closedModels?: readonly string[];
  /** Live sessions at one time. Default unlimited. */
  readonly liveSessions?: number;
}

/** What the emulator serves when no project is stated. */
export const DEFAULT_PROJECTS: readonly ProjectSpec[] = [
  { name: "alpha", keys: ["test-key-1", "test-key-2"] },
  { name: "beta", keys: ["test-key-3"] },
];
