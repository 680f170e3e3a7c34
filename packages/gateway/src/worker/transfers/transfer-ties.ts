/**
 * What ties an upload or a download to a project: what its path names, the upload it goes on with or, as a preference, the
 * session that the client named. Worker threads.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { parseResourceName, type Resource } from "@gemini-gateway/gemini/resources/resource-name";
import { type Conversation, NO_KEY } from "../../affinity/conversation-table.ts";
import type { ResourceEntry } from "../../affinity/messages.ts";
import type { Affinity } from "../affinity/affinity.ts";
import { entriesFound } from "../affinity/resource-entries.ts";
import type { HeldUse } from "../lease-seeker.ts";
import type { TransferAdmission } from "./transfer-admission.ts";

export class TransferTies {
  /** Those of the path; an upload is known by its id alone. */
  readonly resources: readonly Resource[];
  /** Canonical names of all that binds it. */
  readonly names: readonly string[];
  readonly isSigned = false;
  /** It has no tokens. */
  readonly floor = 0;

  /** A key of the project that serves the session. */
  readonly preference: KeyId | undefined;
  readonly #affinity: Affinity;
  readonly #session: Conversation | undefined;

  constructor(
    affinity: Affinity,
    { route: { resource = "" }, transfer, caller }: TransferAdmission,
    rawHeaders: readonly string[],
  ) {
    this.#affinity = affinity;
    this.#session = affinity.sessionOf(rawHeaders, caller.name);
    const keyId = this.#session === undefined ? NO_KEY : affinity.conversations.find(this.#session);
    this.preference = keyId === NO_KEY ? undefined : keyId;
    const named = transfer.kind === "upload-leg" ? undefined : parseResourceName(resource);
    this.resources = named === undefined ? [] : [named];
    this.names = transfer.kind === "upload-leg" ? [transfer.upload] : this.resources.map(({ root }) => root);
  }

  /** Nobody knows whose it is that this project has refused as not its own. */
  mayBeElsewhere({ owner }: HeldUse): boolean {
    return owner?.isKnown === false;
  }

  /** What comes of it is of this key's project: the session goes on there. */
  served({ keyId }: HeldUse): void {
    if (this.#session !== undefined) this.#affinity.conversations.keep(this.#session, keyId);
  }

  /** What was asked for with a key of a project that was only guessed, and is there. */
  foundWith(use: HeldUse, nowMs: number): readonly ResourceEntry[] {
    return this.mayBeElsewhere(use) ? entriesFound(this.resources, use.keyId, nowMs) : [];
  }
}
