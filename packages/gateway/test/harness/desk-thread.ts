/**
 * A worker thread with a real lease desk and resource desk, and nothing else of a worker: does what the test's thread
 * tells it, and tells what came of it.
 */
import type { Denial, KeyId } from "@gemini-gateway/core/lease";
import { LeasePocket } from "@gemini-gateway/core/lease-pocket";
import type { Outcome } from "@gemini-gateway/core/outcome";
import { FRESH_TRAIL, extendTrail } from "@gemini-gateway/core/retry-policy";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { ResourceEntry } from "../../src/affinity/messages.ts";
import type { ToWorker } from "../../src/protocol.ts";
import { SharedCounters } from "../../src/shared-counters.ts";
import { type ClockAnchor, steadyNow } from "../../src/steady-clock.ts";
import { ResourceDesk } from "../../src/worker/affinity/resource-desk.ts";
import { LeaseDesk } from "../../src/worker/lease-desk.ts";
import type { HeldUse, KnownOwner } from "../../src/worker/lease-seeker.ts";
import { Outbox } from "../../src/worker/outbox.ts";

export interface DeskThreadStart {
  readonly channel: MessagePort;
  readonly counters: SharedArrayBuffer;
  readonly clock: ClockAnchor;
}

/** What the thread is told; each order is answered once, under its number. */
export type DeskOrder =
  | {
      readonly kind: "seek";
      readonly number: number;
      readonly model: string;
      readonly resources?: readonly string[];
      readonly preference?: KeyId;
      /** Keys tried before. */
      readonly tried?: readonly KeyId[];
      readonly waitMs?: number;
      readonly outcome: Outcome;
    }
  | {
      readonly kind: "learn";
      readonly number: number;
      readonly entries: readonly ResourceEntry[];
      readonly forgotten?: readonly string[];
    };

export interface DeskAnswer {
  readonly number: number;
  /** Of the key that was lent; undefined when none was, or nothing was sought. */
  readonly fingerprint?: string;
  readonly keyId?: KeyId;
  readonly denial?: Denial;
  readonly owner?: KnownOwner;
}

const { channel, counters, clock } = workerData as DeskThreadStart;
const now = steadyNow(clock);
const pocket = new LeasePocket();
const outbox = new Outbox(channel, pocket);
const desk = new LeaseDesk(pocket, outbox, new SharedCounters(counters, 0), now);
const resources = new ResourceDesk((message) => channel.postMessage(message));

channel.on("message", (message: ToWorker) => {
  if (message.type === "lease.answer") desk.receive(message.answers);
  else if (message.type === "lease.revoke") desk.revoke(message.leaseIds);
  else if (message.type === "resource.kept") resources.hear(message);
});

parentPort?.on("message", (order: DeskOrder) => {
  const { number } = order;
  if (order.kind === "learn") {
    resources.learn(order.entries, () => {
      resources.forget(order.forgotten ?? [], () => answer({ number }));
    });
    return;
  }
  const { model, tried = [], waitMs = 0, outcome } = order;
  desk.seek({
    lane: model,
    trail: tried.reduce((trail, keyId) => extendTrail(trail, keyId, "overloaded"), FRESH_TRAIL),
    waitUntilMs: now() + waitMs,
    tokens: 0,
    ...(order.resources === undefined ? {} : { resources: order.resources }),
    ...(order.preference === undefined ? {} : { preference: order.preference }),
    leased: (use: HeldUse) => {
      desk.settle(use, outcome);
      // The outcome is known before the next order.
      outbox.flush();
      const { fingerprint, keyId, owner } = use;
      answer({ number, fingerprint, keyId, ...(owner === undefined ? {} : { owner }) });
    },
    denied: (denial, owner) => answer({ number, denial, ...(owner === undefined ? {} : { owner }) }),
  });
});

function answer(what: DeskAnswer): void {
  parentPort?.postMessage(what);
}
