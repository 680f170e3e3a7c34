/**
 * Everything that crosses between the primary thread and an HTTP worker thread. One union per direction, plain data
 * only: structured clone drops classes and an Error's code. ARCHITECTURE.md has the same messages as a table.
 */
import type { Denial, Lease, LeaseId, LeaseWish, Return, Settlement } from "@gemini-gateway/core/lease";
import type { ServedUses } from "@gemini-gateway/core/served-uses";
import type { MessagePort } from "node:worker_threads";
import type { AffinityStart, AffinityToPrimary, AffinityToWorker } from "./affinity/messages.ts";
import type { ProjectsAsk, ProjectsTold } from "./affinity/project-messages.ts";
import type { GatewayConfig } from "./config.ts";
import type { ClockAnchor } from "./steady-clock.ts";
import type { GuardStart, GuardToPrimary, GuardToWorker } from "./limits/messages.ts";
import type { RowBatch } from "./row-batch.ts";

/** What a worker thread is started with (`workerData`). */
export interface WorkerStart {
  /** Which part of the shared counters is this worker's, 0-based; a replacement takes over its predecessor's. */
  readonly part: number;
  readonly config: GatewayConfig;
  /** The port every worker listens on; never 0. */
  readonly port: number;
  /** Whether the port is shared with other workers; not every platform can. */
  readonly reusePort: boolean;
  /** Memory shared by all threads; see shared-counters.ts. */
  readonly counters: SharedArrayBuffer;
  /** Who may come in, as it stands now. */
  readonly guard: GuardStart;
  /** What keeps requests with one project. */
  readonly affinity: AffinityStart;
  /** Where the clock of the process was set. */
  readonly clock: ClockAnchor;
  readonly channel: MessagePort;
}

/** A wish with the number its answer will carry. */
export interface NumberedWish {
  readonly wishId: number;
  readonly wish: LeaseWish;
  /**
   * Canonical names of what the request names: the primary binds the wish to their project. At most
   * `RESOURCES_PER_WISH_MAX`; only in a wish for one use.
   */
  readonly resources?: readonly string[];
}

/** A lease with what a worker needs to use it. `secret` travels only on this channel. */
export interface GrantedLease extends Lease {
  readonly secret: string;
  readonly fingerprint: string;
}

export interface WishAnswer {
  readonly wishId: number;
  readonly model: string;
  /** Empty when denied. */
  readonly leases: readonly GrantedLease[];
  readonly denial?: Denial;
  /**
   * Of a wish that names resources. `unknown`: of none of them the owner is known, so the lease is of any project, and
   * another may be the right one.
   */
  readonly owner?: "known" | "unknown";
  /** Of a wish that prefers a project: the lease is of another. */
  readonly isElsewhere?: true;
  /** Of these resources the owner is known, or the denial is about them. */
  readonly about?: readonly string[];
  /** What was kept with the first of them that has something. */
  readonly detail?: string;
}

/** A page about the gateway itself, which the primary makes and workers serve. */
export type PageName = "status" | "metrics";

export interface PageContent {
  readonly contentType: string;
  readonly body: string;
}

export type ToPrimary =
  | { readonly type: "worker.listening" }
  /** Applied in this order, and only then are the wishes answered: a failure is known before the retry. */
  | {
      readonly type: "report.send";
      readonly served: ServedUses;
      /** Of uses that were not served. */
      readonly settlements: readonly Settlement[];
      readonly returns: readonly Return[];
      readonly wishes: readonly NumberedWish[];
      /** Undefined when no request has ended. */
      readonly rows: RowBatch | undefined;
    }
  /** A use that goes on for long, as a Live session's does, has shown that its key works. */
  | { readonly type: "lease.proved"; readonly leaseId: LeaseId }
  | { readonly type: "worker.pulse" }
  /** Somebody wants to read a page; not sent again before its answer. */
  | { readonly type: "page.ask"; readonly page: PageName }
  | GuardToPrimary
  | AffinityToPrimary
  | ProjectsAsk
  | { readonly type: "worker.drained" };

export type ToWorker =
  | { readonly type: "lease.answer"; readonly answers: readonly WishAnswer[] }
  | { readonly type: "lease.revoke"; readonly leaseIds: readonly number[] }
  /** Keys came or came back: what was denied a moment ago may be lent now. */
  | { readonly type: "pool.grew" }
  /** Without content: the page could not be made. */
  | { readonly type: "page.answer"; readonly page: PageName; readonly content?: PageContent }
  /** Another configuration is in effect: for requests that begin from now on. */
  | { readonly type: "config.change"; readonly config: GatewayConfig }
  | GuardToWorker
  | AffinityToWorker
  | ProjectsTold
  | { readonly type: "worker.drain" }
  /** The grace is over: what still runs is to end now, and to be told. */
  | { readonly type: "worker.cut" };
