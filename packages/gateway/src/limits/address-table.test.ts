import { type Network, parseNetwork } from "@gemini-gateway/core/network/network";
import { expect, test } from "vitest";
import { AddressTable, allocateAddressTable, isCountedWithin } from "./address-table.ts";

const LIMITS = { perMinute: 3, perHour: 1_000 };
const NOW_MS = 5_000_000;

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`${text} is no network`);
  return parsed;
}

/** The IPv4 address of that number. */
function numbered(index: number): Network {
  return { family: 4, groups: [index >>> 16, index & 0xff_ff], prefix: 32 };
}

function refusals(table: AddressTable, from: Network, times: number, nowMs = NOW_MS): number {
  let refused = 0;
  for (let time = 0; time < times; time += 1) {
    if (table.count(from, LIMITS, nowMs).kind !== "pass") refused += 1;
  }
  return refused;
}

test("every address has a count of its own, an IPv6 network one for all of its addresses", () => {
  const table = new AddressTable(allocateAddressTable(1_024, 1), 0);
  expect(refusals(table, network("192.0.2.1"), 4)).toBe(1);
  expect(refusals(table, network("192.0.2.2"), 4)).toBe(1);
  expect(refusals(table, network("2001:db8:0:1::/64"), 4)).toBe(1);
  expect(refusals(table, network("2001:db8:0:2::/64"), 3)).toBe(0);
  expect(refusals(table, network("::/64"), 3)).toBe(0);
  expect(refusals(table, network("0.0.0.0"), 3)).toBe(0);
});

test("two views of the same memory count together", () => {
  const memory = allocateAddressTable(64, 7);
  const [one, other] = [new AddressTable(memory, 0), new AddressTable(memory, 1)];
  expect(refusals(one, network("192.0.2.1"), 2) + refusals(other, network("192.0.2.1"), 2)).toBe(1);
});

test("a million addresses need no more memory, and who keeps asking keeps its count", () => {
  const memory = allocateAddressTable(4_096, 42);
  const table = new AddressTable(memory, 0);
  const busy = network("192.0.2.1");
  expect(refusals(table, busy, 3)).toBe(0);
  let [refused, passed] = [0, 0];
  for (let index = 0; index < 1_000_000; index += 1) {
    const nowMs = NOW_MS + Math.floor(index / 100);
    if (table.count(numbered(index), LIMITS, nowMs).kind !== "pass") refused += 1;
    if (index % 100 === 0 && table.count(busy, LIMITS, nowMs).kind === "pass") passed += 1;
  }
  expect({ refused, passed }).toEqual({ refused: 0, passed: 0 });
  expect(memory.byteLength).toBeLessThan(4_096 * 520);
});

test("what is forgotten begins anew, and only that", () => {
  const table = new AddressTable(allocateAddressTable(1_024, 3), 0);
  const texts = ["10.1.2.3", "10.2.0.1", "11.0.0.1", "2001:db8:0:1::/64", "2001:db9::/64"];
  const tired = (): string[] => texts.filter((text) => refusals(table, network(text), 1) > 0);
  for (const text of texts) refusals(table, network(text), 3);
  expect(tired()).toEqual(texts);
  table.forget(isCountedWithin(network("10.0.0.0/8")));
  table.forget(isCountedWithin(network("2001:db8::/32")));
  expect(tired()).toEqual(["11.0.0.1", "2001:db9::/64"]);
});

test.each([
  ["0.0.0.0/0", "1.2.3.4", true],
  ["0.0.0.0/0", "2001:db8::/64", false],
  ["::/0", "2001:db8::/64", true],
  ["::/0", "1.2.3.4", false],
  ["2001:db8:1:2:3::/80", "2001:db8:1:2::/64", true],
  ["2001:db8:1:2::/63", "2001:db8:1:3::/64", true],
  ["2001:db8:1:2::/63", "2001:db8:1:4::/64", false],
])("forgetting %s concerns %s: %s", (wide, text, expected) => {
  const table = new AddressTable(allocateAddressTable(64, 3), 0);
  refusals(table, network(text), 4);
  table.forget(isCountedWithin(network(wide)));
  expect(refusals(table, network(text), 1)).toBe(expected ? 0 : 1);
});
