/** What an answer of Google tells of a resource of the project whose key was used. Plain data. */
import { expiryMs } from "./resource-lifetime.ts";
import type { Resource } from "./resource-name.ts";

export interface Told {
  readonly resource: Resource;
  /** `there`: the project of the key owns it. `gone`: it was deleted. */
  readonly state: "there" | "gone";
  /** When it ends, ms since 1970; undefined: not before it is deleted. */
  readonly expiresAtMs: number | undefined;
}

/** @param statedTime the time of its end in RFC 3339, when the answer states one. */
export function toldOf(resource: Resource, nowMs: number, statedTime?: unknown): Told {
  return { resource, state: "there", expiresAtMs: expiryMs(resource.kind, statedTime, nowMs) };
}
