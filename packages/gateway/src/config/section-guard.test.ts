import { expect, test } from "vitest";
import { showValue } from "./expectation.ts";
import { parseValue } from "./parse-value.ts";
import { resolveConfig } from "./resolve.ts";
import { BREAKER_SECTION, IP_SECTION, TRUST_PROXY_OPTION } from "./section-guard.ts";

const { ban } = IP_SECTION.options;
const { low } = BREAKER_SECTION.options;

test.each([
  ["permanent", Number.POSITIVE_INFINITY, "permanent"],
  ["12h", 43_200_000, "12h"],
  [60, 60_000, "1m"],
])("a ban of %j lasts %d ms and is shown as %s", (raw, valueMs, shown) => {
  expect(parseValue(ban, raw)).toBe(valueMs);
  expect(showValue(ban, valueMs)).toBe(shown);
});

test.each(["forever", "0s", Number.POSITIVE_INFINITY, "Infinity"])("a ban cannot last %j", (raw) => {
  expect(parseValue(ban, raw)).toBeUndefined();
});

test.each([
  ["20%", "20%"],
  ["30", "30"],
  [30, "30"],
])("a threshold may be %j", (raw, expected) => {
  expect(parseValue(low, raw)).toBe(expected);
});

test.each(["120%", "-1", -1, 1.5, "many", true])("a threshold cannot be %j", (raw) => {
  expect(parseValue(low, raw)).toBeUndefined();
});

test.each([
  ["10.0.0.0/8, loopback", ["10.0.0.0/8", "loopback"]],
  ["2001:db8::/32", ["2001:db8::/32"]],
  ["none", []],
])("proxies %j are the networks %j", (raw, expected) => {
  expect(parseValue(TRUST_PROXY_OPTION, raw)).toEqual(expected);
});

test.each(["10.0.0.0/33", "300.1.1.1", "proxy.example", "10.0.0.1 loopback"])("%j is no network", (raw) => {
  expect(parseValue(TRUST_PROXY_OPTION, raw)).toBeUndefined();
});

test("a low threshold above the high one is refused where they can be compared", () => {
  const resolve = (lowText: string, highText: string): unknown =>
    resolveConfig({
      argv: { "breaker-low": lowText, "breaker-high": highText },
      env: {},
      readFile: () => "",
      cores: 1,
    }).config.breaker;
  expect(() => resolve("30%", "20%")).toThrow("breaker.low (30%) must not be more than breaker.high (20%)");
  expect(() => resolve("30", "20")).toThrow("breaker.low");
  expect(resolve("30", "20%")).toEqual({ low: "30", high: "20%" });
});
