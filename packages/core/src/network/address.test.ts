import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress, parseAddress, parseHop } from "./address.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["2001:DB8::0:1", "2001:db8::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["fe80::1%eth0", "fe80::1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
])("%s is written %s", (text, expected) => {
  const address = parseAddress(text);
  expect(address && formatAddress(address)).toBe(expected);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "01.2.3.4",
  "1.2.3.4 ",
  "0x7f.0.0.1",
  "localhost",
  "1::2::3",
  ":::",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::",
  "1.2.3.4::",
  "::1.2.3.4:1",
  "[::1]",
  `${"1".repeat(200)}::`,
])("%j is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test.each([
  ["192.0.2.1:8080", "192.0.2.1"],
  ["[2001:db8::1]:443", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["2001:db8::1", "2001:db8::1"],
])("a hop %s is the address %s", (text, expected) => {
  const address = parseHop(text);
  expect(address && formatAddress(address)).toBe(expected);
});

test("what is written is read back, whatever the address", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = parseAddress(text);
      if (address === undefined) throw new Error(`${text} was not read`);
      expect(parseAddress(formatAddress(address))).toEqual(address);
      if (text.includes(":")) return;
      expect(formatAddress(address)).toBe(text);
    }),
  );
});

test("any text at all is read or refused, never a fault", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => [parseAddress(text), parseHop(text)]).not.toThrow();
    }),
  );
});
