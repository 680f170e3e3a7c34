import { ClientHeaders } from "@gemini-gateway/gemini/headers";
import { routeRequest, type Route } from "@gemini-gateway/gemini/route";
import { expect, it } from "vitest";
import { allocateConversations } from "../affinity/conversation-table.ts";
import type { AffinityToPrimary } from "../affinity/messages.ts";
import { Affinity } from "./affinity/affinity.ts";
import { RequestAffinity } from "./affinity/request-affinity.ts";
import { AnswerGate } from "./answer-gate.ts";
import type { Attempt } from "./attempt.ts";
import type { ClientCall } from "./client/client-call.ts";
import { ClientReply } from "./client-reply.ts";

const SETTINGS = {
  resources: 1_000,
  searchProjects: 8,
  listProjects: 64,
  conversations: 0,
  sessionHeader: "x-gateway-session",
};
const CREATED = 'event: x\ndata: {"event_type":"interaction.created","interaction":{"id":"v1_a"}}\n\n';
const DELTA = 'data: {"event_type":"step.delta","delta":{"type":"text","text":"hi"}}\n\n';

/** An answer on its way, and what became of it; the primary answers when it is told to. */
class Scene {
  /** What the client got and the upstream was asked, in order. */
  readonly seen: string[] = [];
  readonly gate: AnswerGate;
  readonly attempt: Attempt;
  readonly #affinity: Affinity;
  readonly #posted: AffinityToPrimary[] = [];

  constructor() {
    const { seen } = this;
    const call = {
      begin: (status: number) => void seen.push(`head ${status}`),
      write: (chunk: Buffer) => {
        seen.push(chunk.toString("utf8"));
        return true;
      },
      flushHead: () => void seen.push("flush"),
      end: (last: string) => void seen.push(`end ${last}`),
    } as unknown as ClientCall;
    this.#affinity = new Affinity({
      start: { conversations: allocateConversations(0) },
      settings: () => SETTINGS,
      post: (message) => void this.#posted.push(message),
      count: () => {},
    });
    const route = routeRequest("POST", "/v1/interactions") as Route;
    const now = (): number => 1_000;
    const words = { clientHeaders: new ClientHeaders(), extraHeaders: () => [] };
    const affinity = new RequestAffinity(this.#affinity, route, "alice", now);
    const owner = { said: (logged: string, status: number) => void seen.push(`said ${logged} ${status}`) };
    this.gate = new AnswerGate(new ClientReply(call, route, words, now), affinity, owner);
    this.attempt = {
      use: { leaseId: 1, keyId: 7, secret: "", fingerprint: "", startedAtMs: 0 },
      status: 200,
      dialect: "interactions-sse",
      pause: () => void seen.push("paused"),
      resume: () => void seen.push("resumed"),
    } as unknown as Attempt;
  }

  /** Names that the primary has been told of. */
  get told(): string[] {
    return this.#posted.flatMap(({ entries }) => entries.map(({ name }) => name));
  }

  keep(): void {
    for (const { id } of this.#posted) this.#affinity.resources.hear({ type: "resource.kept", id });
  }
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

it("holds an answer that tells of something new until the primary knows it", () => {
  const { gate, attempt, seen } = new Scene();
  gate.begin(attempt, [], [Buffer.from(CREATED)]);
  expect([seen, gate.isOpen, gate.hasBegun]).toEqual([["paused"], false, true]);
});

it("passes on what follows in order, copied, and the end last", async () => {
  const scene = new Scene();
  const { gate, attempt, seen } = scene;
  gate.begin(attempt, [], [Buffer.from(CREATED)]);
  const borrowed = Buffer.from(DELTA);
  expect(gate.write(attempt, borrowed)).toBe(false);
  borrowed.fill(0);
  gate.end("", "served", 200);
  await endOfTurn();
  expect([scene.told, seen]).toEqual([["interactions/v1_a"], ["paused"]]);
  scene.keep();
  expect(seen).toEqual(["paused", "head 200", CREATED, DELTA, "end ", "said served 200"]);
});

it("holds nothing where nothing new is told", () => {
  const { gate, attempt, seen } = new Scene();
  gate.begin(attempt, [], []);
  expect(gate.write(attempt, Buffer.from(DELTA))).toBe(true);
  gate.end("", "served", 200);
  expect(seen).toEqual(["head 200", "flush", DELTA, "end ", "said served 200"]);
});

it("goes on with the upstream when it is let go in the middle", async () => {
  const scene = new Scene();
  const { gate, attempt, seen } = scene;
  gate.begin(attempt, [], [Buffer.from(DELTA)]);
  expect(gate.write(attempt, Buffer.from(CREATED))).toBe(false);
  await endOfTurn();
  scene.keep();
  expect([seen, gate.isOpen]).toEqual([["head 200", DELTA, CREATED, "resumed"], true]);
  // The same interaction again teaches nothing.
  expect(gate.write(attempt, Buffer.from(CREATED))).toBe(true);
});

it("says nothing more once its request has ended otherwise", async () => {
  const scene = new Scene();
  const { gate, attempt, seen } = scene;
  gate.begin(attempt, [], [Buffer.from(CREATED)]);
  gate.drop();
  await endOfTurn();
  scene.keep();
  expect(seen).toEqual(["paused"]);
});
