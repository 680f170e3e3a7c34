import { expect, test } from "vitest";
import { ADDRESS_QUOTA_CELLS, type AddressVerdict, countRequest } from "./address-quota.ts";

function ask(cells: Uint32Array, nowMs: number, times: number, limits = LIMITS): AddressVerdict[] {
  return Array.from({ length: times }, () => countRequest(cells, 0, limits, nowMs));
}

const LIMITS = { perMinute: 40, perHour: 100 };
const START_MS = 10_000_000;

function emptyCells(): Uint32Array {
  return new Uint32Array(ADDRESS_QUOTA_CELLS);
}

test("the limit of a minute lets exactly so many pass, and promises the moment of the next", () => {
  const cells = emptyCells();
  const verdicts = ask(cells, START_MS, 41);
  expect(verdicts.filter(({ kind }) => kind === "pass")).toHaveLength(40);
  const last = verdicts.at(-1);
  if (last?.kind !== "slow-down") throw new Error(`the 41st got ${last?.kind}`);
  expect(last.retryAfterMs).toBeGreaterThanOrEqual(60_000);
  expect(last.retryAfterMs).toBeLessThanOrEqual(61_000);
  expect(countRequest(cells, 0, LIMITS, START_MS + last.retryAfterMs)).toEqual({ kind: "pass" });
});

test("refused requests count: whoever does not stop asking is not let in", () => {
  const limits = { perMinute: 40, perHour: 0 };
  const busy = emptyCells();
  for (let second = 0; second < 300; second += 1) {
    const kinds = ask(busy, START_MS + second * 1_000, 2, limits).map(({ kind }) => kind);
    expect(kinds).toEqual(second < 20 ? ["pass", "pass"] : ["slow-down", "slow-down"]);
  }
  expect(countRequest(busy, 0, limits, START_MS + 360_000)).toEqual({ kind: "pass" });
});

test("the limit of an hour bans, and tells so at first and now and then", () => {
  const cells = emptyCells();
  const verdicts = ask(cells, START_MS, 100 + 257);
  expect(verdicts[99]?.kind).toBe("slow-down");
  const bans = verdicts.slice(100);
  expect(bans.every(({ kind }) => kind === "ban")).toBe(true);
  const news = bans.flatMap((verdict, index) => (verdict.kind === "ban" && verdict.isNews ? [index] : []));
  expect(news).toEqual([0, 256]);
});

test("0 switches each limit off", () => {
  expect(
    ask(emptyCells(), START_MS, 500, { perMinute: 0, perHour: 0 }).every(({ kind }) => kind === "pass"),
  ).toBe(true);
  expect(ask(emptyCells(), START_MS, 500, { perMinute: 0, perHour: 400 })[399]?.kind).toBe("pass");
  expect(ask(emptyCells(), START_MS, 500, { perMinute: 1, perHour: 0 })[499]?.kind).toBe("slow-down");
});
