/** What the command line may ask of a running gateway, answered from the primary's own objects. Primary thread. */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { ControlHandlers, KeyListRow } from "../control/types.ts";
import { keyStateText } from "./key-state-text.ts";
import { addKeys, removeKeys } from "./keys/edit-files.ts";
import type { KeySync } from "./keys/key-sync.ts";
import type { Store } from "./store/store.ts";

export interface ControlHandlerOptions {
  readonly keysDir: string;
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly keySync: KeySync;
  readonly status: ControlHandlers["status"];
  /** When a key that is out of service is tested; undefined when nobody tests it. */
  readonly nextTestMs: (id: KeyId) => number | undefined;
  readonly now: () => number;
}

export function controlHandlers(options: ControlHandlerOptions): ControlHandlers {
  const { keysDir, keySync } = options;
  return {
    status: options.status,
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

function* keyRows({ store, scheduler, nextTestMs, now }: ControlHandlerOptions): Generator<KeyListRow> {
  for (const page of store.keys.pages()) {
    for (const { id, fingerprint, project, projectSource, sourceFile, enabled, retiredAtMs } of page) {
      if (retiredAtMs !== null) continue;
      const view = scheduler.keyView(id, now());
      const text =
        view === undefined
          ? { state: "new", reason: "not yet in use", sinceMs: null }
          : keyStateText(view, nextTestMs(id));
      const inFlight = view?.inFlight ?? 0;
      yield { fingerprint, project, projectSource, ...text, file: sourceFile, inFlight, enabled };
    }
  }
}
