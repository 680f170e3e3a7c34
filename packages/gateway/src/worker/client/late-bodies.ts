/**
 * Ends requests that node:http reads and whose body does not come in time. Worker threads. node has a limit of its own for
 * a whole request, but none that lets a body of gigabytes take as long as it moves.
 */
import type { IncomingMessage } from "node:http";

/** How often it looks, milliseconds: the coarseness of the limit. */
const SWEEP_MS = 500;

/** What is known of a body that is being read. */
export interface BodyProgress {
  /** Whether it may take as long as it moves; see `BodyReader`. */
  readonly isPatient: boolean;
  /** Whether some of it came since this was asked last. */
  hasMoved(): boolean;
}

interface Watched {
  readonly progress: BodyProgress;
  lateAt: number;
}

export class LateBodies {
  readonly #ticks: number;
  readonly #late: (request: IncomingMessage) => void;
  /** As many as requests whose body is not whole. */
  readonly #watched = new Map<IncomingMessage, Watched>();
  #tick = 0;

  /**
   * @param limitMs longest time of a body
   * @param late called once for a request whose body is late
   */
  constructor(limitMs: number, late: (request: IncomingMessage) => void) {
    this.#ticks = Math.ceil(limitMs / SWEEP_MS) + 1;
    this.#late = late;
    setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Looks after the body of a request that has begun, if it has one. */
  watch(request: IncomingMessage, progress: BodyProgress): void {
    const { headers } = request;
    const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
    if (hasBody) this.#watched.set(request, { progress, lateAt: this.#tick + this.#ticks });
  }

  #sweep(): void {
    this.#tick += 1;
    for (const [request, watched] of this.#watched) {
      if (request.complete || request.destroyed) {
        this.#watched.delete(request);
      } else if (mayTakeLonger(request, watched.progress)) {
        watched.lateAt = this.#tick + this.#ticks;
      } else if (this.#tick >= watched.lateAt) {
        this.#watched.delete(request);
        this.#late(request);
      }
    }
  }
}

function mayTakeLonger(request: IncomingMessage, progress: BodyProgress): boolean {
  const hasMoved = progress.hasMoved();
  return progress.isPatient && (hasMoved || request.isPaused());
}
