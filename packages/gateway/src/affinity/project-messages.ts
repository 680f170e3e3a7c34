/**
 * What workers and primary tell each other about the projects that a list is asked of: a part of `protocol.ts`. Plain
 * data.
 */
import type { KeyId } from "@gemini-gateway/core/lease";

/** Where to ask for a list, page by page. */
export interface ProjectsAsk {
  readonly type: "projects.ask";
  readonly id: number;
  /** What is listed, such as `files`; of `models`, which every project has, a large pool is asked for a sample. */
  readonly collection: string;
  /** Id of the project to begin with, or the first after it in order; "" for the first of all. */
  readonly from: string;
  /** Canonical name of a resource whose project to begin with, in place of `from`; "" for none. */
  readonly ownerOf: string;
}

/** A project as a list knows it. */
export interface ListedProject {
  /** Its place in the order, and which it is: the same after a restart. No secret. */
  readonly id: string;
  /** A key of it. */
  readonly keyId: KeyId;
  /** That key's public name. */
  readonly fingerprint: string;
  /** Models that the project is known not to be allowed; where models are listed. */
  readonly closedModels?: readonly string[];
}

export interface ProjectsTold {
  readonly type: "projects.told";
  readonly id: number;
  /** In order of their ids; one more than a page may ask, when there are so many. */
  readonly projects: readonly ListedProject[];
  /** There is no key in use at all. */
  readonly isEmptyPool: boolean;
  /** Id of the project that `ownerOf` is of; absent when that is not known. */
  readonly owner?: string;
}
