/**
 * How many requests one address may make: a rolling minute that slows it down, a rolling hour that bans it. Pure: the
 * counts live in cells that the caller owns and holds meanwhile.
 */
import {
  addToWindow,
  HOUR_WINDOW,
  MINUTE_WINDOW,
  windowCells,
  windowFreeInMs,
  windowTotal,
} from "./rolling-window.ts";

export interface AddressLimits {
  /** Requests in any minute; 0 sets no limit. */
  readonly perMinute: number;
  /** Requests in any hour, beyond which the address is banned; 0 never bans. */
  readonly perHour: number;
}

export type AddressVerdict =
  | { readonly kind: "pass" }
  /** Too many within the minute; there is room again in `retryAfterMs` for one that stays away until then. */
  | { readonly kind: "slow-down"; readonly retryAfterMs: number }
  /** Too many within the hour. `isNews` once in a while: whoever keeps the bans is to be told. */
  | { readonly kind: "ban"; readonly isNews: boolean };

/** Cells of one address. */
export const ADDRESS_QUOTA_CELLS = windowCells(MINUTE_WINDOW) + windowCells(HOUR_WINDOW);

/** News of a ban is repeated every so many requests, in case it got lost with the thread that told it. */
const NEWS_EVERY = 256;
const PASS: AddressVerdict = { kind: "pass" };

/** Counts one request and judges it. One that is refused counts like any other: it is the asking that is limited. */
export function countRequest(
  cells: Uint32Array,
  at: number,
  { perMinute, perHour }: AddressLimits,
  nowMs: number,
): AddressVerdict {
  const hourAt = at + windowCells(MINUTE_WINDOW);
  if (perHour > 0) {
    addToWindow(cells, hourAt, HOUR_WINDOW, nowMs, 1);
    const surplus = windowTotal(cells, hourAt, HOUR_WINDOW, nowMs) - perHour;
    if (surplus > 0) return { kind: "ban", isNews: surplus % NEWS_EVERY === 1 };
  }
  if (perMinute <= 0) return PASS;
  addToWindow(cells, at, MINUTE_WINDOW, nowMs, 1);
  if (windowTotal(cells, at, MINUTE_WINDOW, nowMs) <= perMinute) return PASS;
  return {
    kind: "slow-down",
    retryAfterMs: windowFreeInMs(cells, at, MINUTE_WINDOW, nowMs, perMinute),
  };
}
