import { LeasePocket } from "@gemini-gateway/core/lease-pocket";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ToPrimary } from "../protocol.ts";
import { RowList } from "../row-batch.ts";
import { Outbox } from "./outbox.ts";
import { rowOf } from "./request-record.ts";

type Report = Extract<ToPrimary, { type: "report.send" }>;

const WISH = { wishId: 1, wish: { model: "m", uses: 1 } };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("sends a wish at the end of the turn, with all that waits", () => {
  using scene = new Scene();
  scene.end("r-1");
  scene.outbox.wish(WISH);
  expect(scene.received()).toEqual([]);
  vi.runAllTicks();
  vi.advanceTimersByTime(0);
  const [report, ...more] = scene.received();
  expect(more).toEqual([]);
  expect(report?.wishes).toEqual([WISH]);
  expect(requestIdsOf(report)).toEqual(["r-1"]);
});

it("keeps a row for others, 50 ms at most", () => {
  using scene = new Scene();
  scene.end("r-1");
  vi.advanceTimersByTime(49);
  expect(scene.received()).toEqual([]);
  scene.end("r-2");
  vi.advanceTimersByTime(1);
  expect(scene.received().map(requestIdsOf)).toEqual([["r-1", "r-2"]]);
  vi.advanceTimersByTime(1_000);
  expect(scene.received()).toEqual([]);
});

it("waits twice as long after a report that told much, and no longer after one that told little", () => {
  using scene = new Scene();
  for (let row = 0; row < 20; row += 1) scene.end(`busy-${row}`);
  vi.advanceTimersByTime(50);
  expect(scene.received()).toHaveLength(1);
  scene.end("r-1");
  vi.advanceTimersByTime(99);
  expect(scene.received()).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(scene.received().map(requestIdsOf)).toEqual([["r-1"]]);
  scene.end("r-2");
  vi.advanceTimersByTime(50);
  expect(scene.received().map(requestIdsOf)).toEqual([["r-2"]]);
});

it("sends 256 rows without waiting", () => {
  using scene = new Scene();
  for (let row = 0; row < 256; row += 1) scene.end(`r-${row}`);
  vi.advanceTimersByTime(0);
  expect(scene.received().map((report) => requestIdsOf(report).length)).toEqual([256]);
});

it("tells what was served as numbers and what failed as it is", () => {
  using scene = new Scene();
  scene.pocket.settle({ leaseId: 7, outcome: { kind: "served" }, startedAtMs: 5, promptTokens: 3 }, 10);
  scene.pocket.settle({ leaseId: 8, outcome: { kind: "caller-left" } }, 10);
  scene.outbox.flush();
  expect(scene.received()).toEqual([
    {
      type: "report.send",
      served: [7, 5, 3],
      settlements: [{ leaseId: 8, outcome: { kind: "caller-left" } }],
      returns: [],
      wishes: [],
      rows: undefined,
    },
  ]);
});

it("sends nothing when there is nothing to tell", () => {
  using scene = new Scene();
  scene.outbox.soon();
  vi.advanceTimersByTime(1_000);
  expect(scene.received()).toEqual([]);
});

function requestIdsOf(report: Report | undefined): string[] {
  if (report?.rows === undefined) return [];
  const list = new RowList(report.rows);
  return Array.from({ length: list.count }, (_, index) => list.row(index).requestId);
}

/** An outbox and the other end of its channel. */
class Scene implements Disposable {
  readonly #channel = new MessageChannel();
  readonly pocket = new LeasePocket();
  readonly outbox = new Outbox(this.#channel.port1, this.pocket);

  /** A request ends. */
  end(requestId: string): void {
    const row = {
      atMs: 10,
      startedAtMs: 5,
      firstByteAtMs: 8,
      requestId,
      method: "POST",
      path: "/a",
      model: "m",
      status: 200,
      outcome: "served",
      reason: "",
      notes: [],
      bytesIn: 0,
      bytesOut: 0,
      usage: undefined,
      client: "anonymous",
      address: "127.0.0.1",
    } as const;
    this.outbox.log(rowOf(row));
  }

  /** What the primary has been sent since the last time. */
  received(): Report[] {
    const reports: Report[] = [];
    for (;;) {
      const next = receiveMessageOnPort(this.#channel.port2);
      if (next === undefined) return reports;
      reports.push(next.message as Report);
    }
  }

  [Symbol.dispose](): void {
    this.#channel.port1.close();
  }
}
