import { expect, it } from "vitest";
import { allocateConversations } from "../../affinity/conversation-table.ts";
import { type AffinityToPrimary, RESOURCES_PER_MESSAGE_MAX } from "../../affinity/messages.ts";
import { Affinity } from "./affinity.ts";
import { ResourceDesk } from "./resource-desk.ts";

const SETTINGS = {
  resources: 1_000,
  searchProjects: 8,
  conversations: 64,
  listProjects: 64,
  sessionHeader: "X-Session",
};

function affinity(conversations = 64, settings = SETTINGS): Affinity {
  const start = { conversations: allocateConversations(conversations) };
  return new Affinity({ start, settings: () => settings, post: () => {}, count: () => {} });
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

it("knows a conversation by the header and the client that sent it", () => {
  const subject = affinity();
  const session = subject.sessionOf(["X-Session", "talk-1"], "alice");
  expect(subject.sessionOf(["X-Session", "talk-1"], "alice")).toEqual(session);
  expect(subject.sessionOf(["X-Session", "talk-1"], "bob")).not.toEqual(session);
  expect(subject.sessionOf(["X-Session", "talk-2"], "alice")).not.toEqual(session);
});

it("keeps where an opening went, but for many alike at once", () => {
  const subject = affinity();
  const opening = { left: 1, right: 2 };
  subject.opened(opening, 7, 1_000);
  subject.opened(opening, 8, 1_010);
  expect(subject.conversations.find(opening)).toBe(7);
  subject.opened(opening, 9, 2_000);
  expect(subject.conversations.find(opening)).toBe(9);
});

it("knows none that is not named, absurdly long, or of no use", () => {
  expect(affinity().sessionOf([], "alice")).toBeUndefined();
  expect(affinity().sessionOf(["x-session", ""], "alice")).toBeUndefined();
  expect(affinity().sessionOf(["x-session", "x".repeat(10_000)], "alice")).toBeUndefined();
  expect(affinity(0).sessionOf(["X-Session", "talk-1"], "alice")).toBeUndefined();
});

it("asks one project at least, however few may be searched", () => {
  expect(affinity().projectsAskedMax).toBe(8);
  expect(affinity(64, { ...SETTINGS, searchProjects: 0 }).projectsAskedMax).toBe(1);
});

it("tells what one turn taught in one message, and each of its requests when it is kept", async () => {
  const posted: AffinityToPrimary[] = [];
  const desk = new ResourceDesk((message) => void posted.push(message));
  const kept: string[] = [];
  desk.learn([{ name: "files/a", keyId: 1 }], () => kept.push("a"));
  desk.forget(["files/b"], () => kept.push("b"));
  expect(posted).toEqual([]);
  await endOfTurn();
  expect(posted).toEqual([
    {
      type: "resource.learnt",
      id: 1,
      entries: [{ name: "files/a", keyId: 1 }],
      forgotten: ["files/b"],
    },
  ]);
  desk.learn([{ name: "files/c", keyId: 1 }], () => kept.push("c"));
  await endOfTurn();
  desk.hear({ type: "resource.kept", id: 7 });
  expect([kept, desk.waiting]).toEqual([[], 3]);
  desk.hear({ type: "resource.kept", id: 1 });
  desk.hear({ type: "resource.kept", id: 1 });
  expect(kept).toEqual(["a", "b"]);
  desk.hear({ type: "resource.kept", id: 2 });
  expect([kept, desk.waiting]).toEqual([["a", "b", "c"], 0]);
});

it("sends a full message at once", () => {
  const posted: AffinityToPrimary[] = [];
  const desk = new ResourceDesk((message) => void posted.push(message));
  const entries = Array.from({ length: RESOURCES_PER_MESSAGE_MAX }, (_, index) => ({
    name: `files/${index}`,
    keyId: 1,
  }));
  desk.learn(entries, () => {});
  expect(posted).toHaveLength(1);
  desk.hear({ type: "resource.kept", id: 1 });
});

it("holds nobody's answer for longer than a second when the primary is stuck", async () => {
  const desk = new ResourceDesk(() => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  desk.learn([{ name: "files/a", keyId: 1 }], resolve);
  await promise;
  expect(desk.waiting).toBe(0);
});
