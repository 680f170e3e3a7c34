/** What the command line may ask of a running gateway, answered from the primary's own objects. Primary thread. */
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { ControlHandlers, KeyListRow, KeyTotals, ModelStatus, RunningStatus } from "../control/types.ts";
import type { SharedCounters } from "../shared-counters.ts";
import { ownVersion } from "../version.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import { keyStateText } from "./key-state-text.ts";
import { addKeys, removeKeys } from "./keys/edit-files.ts";
import type { KeySync } from "./keys/key-sync.ts";
import type { Store } from "./store/store.ts";
import type { Supervisor } from "./supervisor.ts";

export interface ControlHandlerOptions {
  readonly keysDir: string;
  readonly baseUrl: string;
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly keySync: KeySync;
  readonly supervisor: Supervisor;
  readonly bookkeeper: Bookkeeper;
  readonly counters: SharedCounters;
  readonly startedAtMs: number;
  readonly now: () => number;
}

export function controlHandlers(options: ControlHandlerOptions): ControlHandlers {
  const { keysDir, keySync } = options;
  return {
    status: () => statusOf(options),
    listKeys: () => keyRows(options),
    addKeys: async (request) => {
      const report = await addKeys(keysDir, request);
      await keySync.sync([report.file]);
      return report;
    },
    removeKeys: async ({ fingerprints }) => {
      const report = await removeKeys(keysDir, fingerprints);
      await keySync.sync(report.files);
      return report;
    },
  };
}

function statusOf(options: ControlHandlerOptions): RunningStatus {
  const { scheduler, supervisor, bookkeeper, counters, startedAtMs, now } = options;
  const nowMs = now();
  const summary = scheduler.summary(nowMs);
  return {
    running: true,
    pid: process.pid,
    version: ownVersion(),
    uptimeMs: nowMs - startedAtMs,
    baseUrl: options.baseUrl,
    draining: counters.readiness === "draining",
    workers: supervisor.views(nowMs).map(({ holder, listening, activeRequests }) => ({
      id: holder,
      state: listening ? "serving" : "starting",
      inFlight: activeRequests,
    })),
    keys: { total: summary.keys, byState: summary.keysByState } satisfies KeyTotals,
    models: summary.models.map((model) =>
      modelStatus(options, model.model, model.availableKeys, model.unavailableKeys),
    ),
    inFlight: counters.total("requests"),
    requests: { sinceMs: startedAtMs, ...bookkeeper.totals },
  };
}

function modelStatus(
  options: ControlHandlerOptions,
  model: string,
  ready: number,
  resting: number,
): ModelStatus {
  if (ready > 0) return { model, ready, resting };
  const { retryAtMs } = options.scheduler.denialFor(model, options.now());
  return retryAtMs === undefined ? { model, ready, resting } : { model, ready, resting, retryAtMs };
}

function* keyRows({ store, scheduler, now }: ControlHandlerOptions): Generator<KeyListRow> {
  for (const page of store.keys.pages()) {
    for (const { id, fingerprint, project, projectSource, sourceFile, enabled, retiredAtMs } of page) {
      if (retiredAtMs !== null) continue;
      const view = scheduler.keyView(id, now());
      const text =
        view === undefined ? { state: "new", reason: "not yet in use", sinceMs: null } : keyStateText(view);
      const inFlight = view?.inFlight ?? 0;
      yield { fingerprint, project, projectSource, ...text, file: sourceFile, inFlight, enabled };
    }
  }
}
