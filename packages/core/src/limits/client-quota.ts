/**
 * What a named client may use: requests and tokens in any minute and any day. Pure: the counts live in cells that the
 * caller owns and holds meanwhile. Unlike an address, a client is not charged for what it was refused.
 */
import {
  addToWindow,
  DAY_WINDOW,
  MINUTE_WINDOW,
  windowCells,
  windowFreeInMs,
  type WindowShape,
} from "./rolling-window.ts";

/** 0 sets no limit. */
export interface ClientLimits {
  readonly requestsPerMinute: number;
  readonly requestsPerDay: number;
  readonly tokensPerMinute: number;
  readonly tokensPerDay: number;
  /** Requests in progress at once. */
  readonly concurrency: number;
}

export interface ClientRefusal {
  readonly limit: "requests" | "tokens" | "concurrency";
  /** When there is room again, milliseconds; undefined when that depends on requests in progress. */
  readonly retryAfterMs: number | undefined;
}

interface Meter {
  readonly limit: "requests" | "tokens";
  readonly max: keyof ClientLimits;
  readonly shape: WindowShape;
  /** First of its cells, from the client's first. */
  readonly offset: number;
}

const METERS: readonly Meter[] = laidOut([
  { limit: "requests", max: "requestsPerMinute", shape: MINUTE_WINDOW },
  { limit: "requests", max: "requestsPerDay", shape: DAY_WINDOW },
  { limit: "tokens", max: "tokensPerMinute", shape: MINUTE_WINDOW },
  { limit: "tokens", max: "tokensPerDay", shape: DAY_WINDOW },
]);

/** Cells of one client. */
export const CLIENT_QUOTA_CELLS = METERS.reduce((sum, { shape }) => sum + windowCells(shape), 0);

/** Why one more request must wait: of several reasons the one that lasts longest. Undefined when it may come. */
export function clientRefusal(
  cells: Uint32Array,
  at: number,
  limits: ClientLimits,
  nowMs: number,
): ClientRefusal | undefined {
  let refusal: ClientRefusal | undefined;
  let longestMs = 0;
  for (const { limit, max, shape, offset } of METERS) {
    if (limits[max] <= 0) continue;
    const retryAfterMs = windowFreeInMs(cells, at + offset, shape, nowMs, limits[max]);
    if (retryAfterMs <= longestMs) continue;
    longestMs = retryAfterMs;
    refusal = { limit, retryAfterMs };
  }
  return refusal;
}

/** Charges requests or tokens. Tokens are known at a request's end only: the last request may overdraw them. */
export function chargeClient(
  cells: Uint32Array,
  at: number,
  limit: "requests" | "tokens",
  nowMs: number,
  amount: number,
): void {
  for (const meter of METERS) {
    if (meter.limit === limit) addToWindow(cells, at + meter.offset, meter.shape, nowMs, amount);
  }
}

function laidOut(meters: readonly Omit<Meter, "offset">[]): readonly Meter[] {
  let offset = 0;
  return meters.map((meter) => {
    const placed = { ...meter, offset };
    offset += windowCells(meter.shape);
    return placed;
  });
}
