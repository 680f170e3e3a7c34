import fc from "fast-check";
import { expect, test } from "vitest";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { clientAddress, type ProxyHeader } from "./client-address.ts";
import { networksNamed } from "./network.ts";
import { networkSet } from "./network-map.ts";

const PROXIES = networkSet(["10.0.0.0/8", "2001:db8:ffff::/48"].flatMap((text) => networksNamed(text) ?? []));

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

function told(peer: string, forwardedFor?: string, forwarded?: string, header: ProxyHeader = "auto"): string {
  return formatAddress(clientAddress(address(peer), { forwardedFor, forwarded }, header, PROXIES));
}

test.each([
  ["10.0.0.1", "198.51.100.7", "198.51.100.7"],
  ["10.0.0.1", "198.51.100.7:1234", "198.51.100.7"],
  ["10.0.0.1", "[2001:db8::7]:1234", "2001:db8::7"],
  ["10.0.0.1", "198.51.100.7, 10.0.0.9", "198.51.100.7"],
  ["10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"],
  ["10.0.0.1", "10.9.9.9", "10.9.9.9"],
  ["10.0.0.1", "unknown", "10.0.0.1"],
  ["10.0.0.1", "198.51.100.7, unknown, 10.0.0.9", "10.0.0.9"],
  ["10.0.0.1", "", "10.0.0.1"],
  ["10.0.0.1", ",", "10.0.0.1"],
])("X-Forwarded-For by %s with %j: the caller is %s", (peer, header, expected) => {
  expect(told(peer, header)).toBe(expected);
});

test.each([
  ["for=198.51.100.7", "198.51.100.7"],
  ['For="[2001:db8::7]:1234";proto=https', "2001:db8::7"],
  ["proto=http; for=198.51.100.7 ;by=10.0.0.1", "198.51.100.7"],
  ["for=1.1.1.1, for=198.51.100.7, for=10.0.0.9", "198.51.100.7"],
  ['for=", for="[2001:db8::7]"', "2001:db8::7"],
  ["for=_hidden", "10.0.0.1"],
  ["notfor=198.51.100.7", "10.0.0.1"],
])("Forwarded with %j: the caller is %s", (header, expected) => {
  expect(told("10.0.0.1", undefined, header)).toBe(expected);
});

test("without a trusted proxy no header is believed, whatever it says", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.ipV4(), (forwardedFor, forwarded, text) => {
      expect(told("198.51.100.7", `${forwardedFor},${text}`, `${forwarded},for=${text}`)).toBe(
        "198.51.100.7",
      );
    }),
  );
});

test("nothing a client writes in front changes what the trusted proxy added", () => {
  fc.assert(
    fc.property(fc.string(), (forged) => {
      expect(told("10.0.0.1", `${forged}, 198.51.100.7`)).toBe("198.51.100.7");
      expect(told("10.0.0.1", undefined, `${forged}, for=198.51.100.7`)).toBe("198.51.100.7");
    }),
  );
});

test("two headers that disagree are both disbelieved, unless one is named", () => {
  expect(told("10.0.0.1", "198.51.100.7", "for=198.51.100.7")).toBe("198.51.100.7");
  expect(told("10.0.0.1", "198.51.100.7", "for=1.1.1.1")).toBe("10.0.0.1");
  expect(told("10.0.0.1", "198.51.100.7", "for=1.1.1.1", "x-forwarded-for")).toBe("198.51.100.7");
  expect(told("10.0.0.1", "1.1.1.1", "for=198.51.100.7", "forwarded")).toBe("198.51.100.7");
  expect(told("10.0.0.1", "1.1.1.1", undefined, "forwarded")).toBe("10.0.0.1");
});

test("a chain of proxies is walked back over a bounded number of hops", () => {
  const chain = ["198.51.100.7", ...Array.from({ length: 31 }, (_, hop) => `10.0.1.${hop}`)];
  expect(told("10.0.0.1", chain.join(","))).toBe("198.51.100.7");
  expect(told("10.0.0.1", [...chain, "10.0.2.1"].join(","))).toBe("10.0.1.0");
});
