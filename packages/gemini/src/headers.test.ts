import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientHeaders, UpstreamHeaderLines, upstreamHeaders } from "./headers.ts";

const OWN = ["x-goog-api-key", "test-key-pool", "accept-encoding", "identity"];

describe("upstreamHeaders", () => {
  it("passes what a client says about the request, in order and as spelled", () => {
    const sent = [
      "Content-Type",
      "application/json",
      "User-Agent",
      "google-genai-sdk/3.1.0 gl-node/v22.23.3",
      "x-goog-api-client",
      "google-genai-sdk/3.1.0 gl-node/v22.23.3",
      "X-Server-Timeout",
      "20",
      "accept",
      "*/*",
    ];
    expect(upstreamHeaders(sent, "test-key-pool")).toEqual([...sent, ...OWN]);
  });

  it("invents no user-agent", () => {
    expect(upstreamHeaders([], "test-key-pool")).toEqual(OWN);
  });

  it.each([
    "x-goog-api-key",
    "X-Goog-Api-Key",
    "Authorization",
    "Proxy-Authorization",
    "Cookie",
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Upgrade",
    "Expect",
    "Accept-Encoding",
    "Accept-Language",
    "Sec-Fetch-Mode",
    "Sec-CH-UA",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "Forwarded",
    "Via",
    "X-Real-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
    "Origin",
    "Referer",
    "X-Gateway-Debug",
    "X-Goog-User-Project",
    "X-Gemini-Api-Privileged-User-Id",
    "traceparent",
    "X-Request-Id",
  ])("keeps %s from the upstream", (name) => {
    expect(upstreamHeaders([name, "secret"], "test-key-pool")).toEqual(OWN);
  });

  it("keeps what Connection names for this hop", () => {
    const sent = [
      "Connection",
      "keep-alive, X-Hop",
      "connection",
      "x-other",
      "x-hop",
      "1",
      "X-Other",
      "2",
      "X-Kept",
      "3",
    ];
    expect(upstreamHeaders(sent, "test-key-pool")).toEqual(["X-Kept", "3", ...OWN]);
  });
});

describe("UpstreamHeaderLines", () => {
  const name = fc.constantFrom(
    "Accept",
    "accept",
    "X-Hop",
    "x-hop",
    "Cookie",
    "X-Forwarded-For",
    "Connection",
    "Host",
  );
  const value = fc.constantFrom("a", "", "keep-alive", "X-Hop, close", "a\tb", "\xe9");

  it("says what upstreamHeaders says, each time anew, whatever it remembers", () => {
    const lines = new UpstreamHeaderLines();
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (headers) => {
        const sent = headers.flat();
        const list = upstreamHeaders(sent, "test-key-pool");
        const expected = list.map((part, at) => (at % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join("");
        expect(lines.of(sent, "test-key-pool")).toBe(expected);
      }),
    );
  });

  it.each([
    ["a line end", ["x", "a\r\nb: c"]],
    ["a line feed", ["x", "a\nb"]],
    ["NUL", ["x", "a\0"]],
    ["what is no octet", ["x", "\u0100"]],
    ["no name", ["", "a"]],
    ["a name with a colon", ["x:", "a"]],
    ["a name with a line end", ["x\r\n", "a"]],
    ["a name beyond ASCII", ["\xe9", "a"]],
  ])("writes nothing with %s", (_, sent) => {
    const lines = new UpstreamHeaderLines();
    expect(lines.of(sent, "k")).toBeUndefined();
    // It is remembered no better than it was understood.
    expect(lines.of(sent, "k")).toBeUndefined();
  });

  it("writes no key with a line end", () => {
    expect(new UpstreamHeaderLines().of([], "k\r\nx: y")).toBeUndefined();
  });

  it("goes on when it has seen more names than it remembers, and longer ones", () => {
    const lines = new UpstreamHeaderLines();
    for (let index = 0; index < 3_000; index += 1) {
      const long = `x-${"y".repeat(70)}${index}`;
      const own = "x-goog-api-key: k\r\naccept-encoding: identity\r\n";
      expect(lines.of([`x-${index}`, "1", long, "2", "Cookie", "3"], "k")).toBe(
        `x-${index}: 1\r\n${long}: 2\r\n${own}`,
      );
    }
  });
});

describe("ClientHeaders", () => {
  const headers = new ClientHeaders();

  it("passes the upstream's headers in order and as spelled", () => {
    const received = ["Vary", "Origin", "Vary", "Referer", "x-goog-upload-url", "u", "x", "\xe9"];
    expect(headers.of(received, { keepLength: true })).toEqual(received);
  });

  it.each([
    "Alt-Svc",
    "Set-Cookie",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Strict-Transport-Security",
    "Access-Control-Allow-Origin",
    "X-Request-Id",
    "X-Gateway-Attempts",
  ])("keeps %s from the client", (name) => {
    expect(headers.of([name, "1"], { keepLength: true })).toEqual([]);
    expect(headers.of([name.toLowerCase(), "1", name, "2"], { keepLength: true })).toEqual([]);
  });

  it("keeps the length only when the body keeps it", () => {
    const received = ["Content-Length", "5", "connection", "x-hop", "x-hop", "1"];
    expect(headers.of(received, { keepLength: true })).toEqual(["Content-Length", "5"]);
    expect(headers.of(received, { keepLength: false })).toEqual([]);
  });

  it("drops what one answer declares to be for this hop, and not from the next", () => {
    const received = ["connection", "x-hop", "x-hop", "1"];
    expect(headers.of(received, { keepLength: true })).toEqual([]);
    expect(headers.of(["x-hop", "1"], { keepLength: true })).toEqual(["x-hop", "1"]);
  });

  it("judges more names than it remembers, and long ones", () => {
    for (let index = 0; index < 3_000; index += 1) headers.of([`x-${index}`, "1"], { keepLength: true });
    const long = `x-gateway-${"x".repeat(100)}`;
    expect(headers.of([long, "1", "x-1", "1", "alt-svc", "1"], { keepLength: true })).toEqual(["x-1", "1"]);
  });
});
