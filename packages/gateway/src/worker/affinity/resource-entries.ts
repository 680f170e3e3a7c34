/** What is to be written down of resources that one key's project turned out to have. Worker threads; pure. */
import type { KeyId } from "@gemini-gateway/core/lease";
import { type Told, toldOf } from "@gemini-gateway/gemini/resources/answer-told";
import { mayBePublic, type Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { ResourceEntry } from "../../affinity/messages.ts";

/** Most resources learnt of one request or answer: a full page of a list. */
const ENTRIES_MAX = 1_000;

/** What an answer told of and is there. */
export function entriesTold(told: readonly Told[], keyId: KeyId): ResourceEntry[] {
  const entries: ResourceEntry[] = [];
  for (const { resource, state, expiresAtMs } of told) {
    if (state === "gone" || entries.length >= ENTRIES_MAX) continue;
    const name = resource.root;
    entries.push(expiresAtMs === undefined ? { name, keyId } : { name, keyId, expiresAtMs });
  }
  return entries;
}

/** What a request named that was served: but for what every project may know. */
export function entriesFound(resources: readonly Resource[], keyId: KeyId, nowMs: number): ResourceEntry[] {
  const ofProject = resources.filter((resource) => !mayBePublic(resource));
  return entriesTold(
    ofProject.map((resource) => toldOf(resource, nowMs)),
    keyId,
  );
}
