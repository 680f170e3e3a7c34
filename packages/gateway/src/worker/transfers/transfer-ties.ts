/** What ties an upload or a download to a project: what its path names, or the upload it goes on with. Worker threads. */
import { parseResourceName, type Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { Route } from "@gemini-gateway/gemini/route";
import type { Transfer } from "@gemini-gateway/gemini/transfer";
import type { ResourceEntry } from "../../affinity/messages.ts";
import { entriesFound } from "../affinity/resource-entries.ts";
import type { HeldUse } from "../lease-seeker.ts";

export class TransferTies {
  /** Those of the path; an upload is known by its id alone. */
  readonly resources: readonly Resource[];
  /** Canonical names of all that binds it. */
  readonly names: readonly string[];
  readonly isSigned = false;
  /** It has no tokens. */
  readonly floor = 0;

  constructor({ resource = "" }: Pick<Route, "resource">, transfer: Transfer) {
    const named = transfer.kind === "upload-leg" ? undefined : parseResourceName(resource);
    this.resources = named === undefined ? [] : [named];
    this.names = transfer.kind === "upload-leg" ? [transfer.upload] : this.resources.map(({ root }) => root);
  }

  /** Nobody knows whose it is that this project has refused as not its own. */
  mayBeElsewhere({ owner }: HeldUse): boolean {
    return owner?.isKnown === false;
  }

  /** What was asked for with a key of a project that was only guessed, and is there. */
  foundWith(use: HeldUse, nowMs: number): readonly ResourceEntry[] {
    return this.mayBeElsewhere(use) ? entriesFound(this.resources, use.keyId, nowMs) : [];
  }
}
