import fc from "fast-check";
import { expect, it } from "vitest";
import { proxyAddressOf } from "./proxy-address.ts";

it.each([
  ["socks5://127.0.0.1", { host: "127.0.0.1", port: 1080, user: "", password: "" }],
  ["socks5h://alice@proxy.test:9050", { host: "proxy.test", port: 9050, user: "alice", password: "" }],
  ["http://[::1]:3128", { host: "::1", port: 3128, user: "", password: "" }],
  ["socks5://alice:100%@proxy.test", { host: "proxy.test", port: 1080, user: "alice", password: "100%" }],
])("reads %s", (url, address) => {
  expect(proxyAddressOf(new URL(url), 1080)).toEqual(address);
});

it("gives back any credentials that were percent-encoded", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (user, password) => {
      const url = new URL("socks5h://proxy.test");
      url.username = encodeURIComponent(user);
      url.password = encodeURIComponent(password);
      expect(proxyAddressOf(url, 1080)).toMatchObject({ user, password });
    }),
  );
});
