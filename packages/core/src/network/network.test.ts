import { expect, test } from "vitest";
import { type Address, parseAddress } from "./address.ts";
import { countedNetworkOf, formatNetwork, networksNamed, parseNetwork } from "./network.ts";
import { NetworkMap, networkSet } from "./network-map.ts";

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

test.each([
  ["10.1.2.3/8", "10.0.0.0/8"],
  ["192.0.2.7", "192.0.2.7"],
  ["192.0.2.7/32", "192.0.2.7"],
  ["192.0.2.255/25", "192.0.2.128/25"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["2001:db8:1:2:3::/64", "2001:db8:1:2::/64"],
  ["2001:db8:ffff::/33", "2001:db8:8000::/33"],
  ["::/0", "::/0"],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
])("%s is the network %s", (text, expected) => {
  const network = parseNetwork(text);
  expect(network && formatNetwork(network)).toBe(expected);
});

test.each([
  "",
  "/8",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/8/8",
  "::/129",
  "::ffff:10.0.0.0/90",
  "10.0.0.0/x",
  "a/8",
])("%j is no network", (text) => {
  expect(parseNetwork(text)).toBeUndefined();
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
])("%s is counted as %s", (text, expected) => {
  expect(formatNetwork(countedNetworkOf(address(text)))).toBe(expected);
});

test.each([
  ["loopback", "127.9.9.9", true],
  ["loopback", "::1", true],
  ["loopback", "10.0.0.1", false],
  ["private", "172.31.255.255", true],
  ["private", "172.32.0.0", false],
  ["private", "fd00::1", true],
  ["private", "2001:db8::1", false],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "192.0.2.1", false],
  ["192.0.2.0/24", "::ffff:192.0.2.200", true],
])("%s holds %s: %s", (word, text, expected) => {
  expect(networkSet(networksNamed(word) ?? []).holds(address(text))).toBe(expected);
});

test.each(["localhost", "constructor", "10.0.0.0/40"])("%j names no network", (word) => {
  expect(networksNamed(word)).toBeUndefined();
});

test("the narrowest network comes first, and what is deleted is gone", () => {
  const map = new NetworkMap<string>();
  for (const text of ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "11.0.0.0/8"]) {
    const network = parseNetwork(text);
    if (network !== undefined) map.set(network, text);
  }
  expect([...map.around(address("10.1.2.3"))]).toEqual(["10.1.2.3", "10.1.0.0/16", "10.0.0.0/8"]);
  const middle = parseNetwork("10.1.0.0/16");
  expect(middle && [map.get(middle), map.delete(middle), map.delete(middle), map.get(middle)]).toEqual([
    "10.1.0.0/16",
    true,
    false,
    undefined,
  ]);
  expect([[...map.around(address("10.1.2.3"))], map.size]).toEqual([["10.1.2.3", "10.0.0.0/8"], 3]);
});
