import { readBody } from "@gemini-gateway/gemini/resources/read-body";
import { routeRequest, type Route } from "@gemini-gateway/gemini/route";
import { expect, it } from "vitest";
import { allocateConversations } from "../../affinity/conversation-table.ts";
import type { Tally } from "../../shared-counters.ts";
import type { HeldUse } from "../lease-seeker.ts";
import { Affinity } from "./affinity.ts";
import { RequestAffinity } from "./request-affinity.ts";

const SETTINGS = {
  resources: 1_000,
  searchProjects: 8,
  listProjects: 64,
  conversations: 64,
  sessionHeader: "x-gateway-session",
};
const ROUTE = routeRequest("POST", "/v1/models/m:generateContent") as Route;

function affinityThat(counted: Tally[] = []): Affinity {
  return new Affinity({
    start: { conversations: allocateConversations(64) },
    settings: () => SETTINGS,
    post: () => {},
    count: (tally) => void counted.push(tally),
  });
}

/** A request of a conversation: its opening, and what the model said and was told since. */
function request(affinity: Affinity, opening: string, turns: number, signature?: string): RequestAffinity {
  const subject = new RequestAffinity(affinity, ROUTE, "alice", () => 1_000);
  const contents = [{ role: "user", parts: [{ text: opening }] }];
  for (let turn = 0; turn < turns; turn += 1) {
    const part = { text: "yes", ...(signature === undefined ? {} : { thoughtSignature: signature }) };
    contents.push({ role: "model", parts: [part] }, { role: "user", parts: [{ text: "and?" }] });
  }
  subject.take(readBody(Buffer.from(JSON.stringify({ contents }))), "m", undefined);
  return subject;
}

function use(keyId: number, more: Partial<HeldUse> = {}): HeldUse {
  return { leaseId: 1, keyId, secret: "", fingerprint: "", startedAtMs: 0, ...more };
}

it("prefers nothing at first, and what served it from then on", () => {
  const counted: Tally[] = [];
  const affinity = affinityThat(counted);
  const first = request(affinity, "a", 0);
  expect(first.preference).toBeUndefined();
  first.served(use(7));
  expect(request(affinity, "b", 1).preference).toBeUndefined();
  // The same opening again is another conversation.
  expect(request(affinity, "a", 0).preference).toBeUndefined();
  const second = request(affinity, "a", 1);
  expect(second.preference).toBe(7);
  second.served(use(8, { isElsewhere: true }));
  const third = request(affinity, "a", 2);
  expect(third.preference).toBe(8);
  third.served(use(8));
  expect(counted).toEqual(["conversationsMoved", "conversationsKept"]);
});

it("asks others about refused signatures only while it does not know whose they are", () => {
  const affinity = affinityThat();
  expect(request(affinity, "a", 1).mayBeElsewhere(use(1))).toBe(false);
  const unknown = request(affinity, "a", 1, "c2lnbmVk");
  expect([unknown.isSigned, unknown.mayBeElsewhere(use(1)), unknown.onlyProjectOf]).toEqual([
    true,
    true,
    undefined,
  ]);
  unknown.served(use(7));
  const known = request(affinity, "a", 2, "c2lnbmVk");
  expect(known.mayBeElsewhere(use(7))).toBe(false);
  const moved = request(affinity, "a", 2, "c2lnbmVk");
  expect(moved.mayBeElsewhere(use(8, { isElsewhere: true }))).toBe(true);
  expect(moved.onlyProjectOf).toBe(7);
  expect(moved.isOwnDenial({ reason: "quota", scope: "owner" })).toBe(true);
  expect(moved.isOwnDenial({ reason: "owner-gone", scope: "owner" })).toBe(false);
  expect([moved.isOwnDenial(undefined), known.isOwnDenial({ reason: "quota" })]).toEqual([false, false]);
});

it("is bound by what it names, and then by no conversation", () => {
  const affinity = affinityThat();
  const subject = new RequestAffinity(
    affinity,
    routeRequest("GET", "/v1/files/a") as Route,
    "alice",
    () => 1_000,
  );
  subject.take(undefined, "", { left: 1, right: 2 });
  expect([subject.names, subject.preference]).toEqual([["files/a"], undefined]);
  const owner = { isKnown: false, resources: [], detail: undefined };
  expect(subject.mayBeElsewhere(use(1, { owner }))).toBe(true);
  expect(subject.mayBeElsewhere(use(1, { owner: { ...owner, isKnown: true } }))).toBe(false);
  subject.served(use(1, { owner }));
  expect([subject.isKept, affinity.resources.waiting]).toEqual([false, 1]);
});
