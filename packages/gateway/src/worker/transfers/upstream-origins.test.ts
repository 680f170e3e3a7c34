import { expect, it } from "vitest";
import { Upstream } from "../upstream.ts";
import { UpstreamOrigins } from "./upstream-origins.ts";

function origins(upstream: string): UpstreamOrigins {
  const options = { upstream: new URL(upstream), proxy: undefined, connectMs: 1_000, http2: false };
  return new UpstreamOrigins(options, new Upstream(options));
}

it("takes Google's address for the upstream's, whatever stands between", () => {
  const subject = origins("http://127.0.0.1:9/between");
  for (const url of [
    "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=a",
    "http://127.0.0.1:9/between/upload/v1beta/files?upload_id=a",
    "http://127.0.0.1:9/upload/v1beta/files?upload_id=a",
  ]) {
    expect(subject.of(url)).toMatchObject({
      path: "/upload/v1beta/files?upload_id=a",
      isUpstreams: true,
      upstream: { origin: "http://127.0.0.1:9" },
    });
  }
});

it("goes to other hosts as another's, and keeps the ways to a few of them", () => {
  const subject = origins("https://google.example");
  const first = subject.of("https://store.example/x?sig=1");
  expect(first).toMatchObject({ path: "/x?sig=1", isUpstreams: false, upstream: { pathPrefix: "" } });
  expect(subject.of("https://store.example/y")?.upstream).toBe(first?.upstream);
  expect(subject.of("https://google.example.evil.example/y")?.isUpstreams).toBe(false);
  for (let count = 0; count < 16; count += 1) subject.of(`https://store-${count}.example/`);
  expect(subject.of("https://store.example/y")?.upstream).not.toBe(first?.upstream);
});

it("follows nothing that is no such address, nor from https to http", () => {
  const subject = origins("https://google.example");
  for (const url of ["", "/relative", "ftp://store.example/", "file:///etc/passwd", "http://store.example/"])
    expect(subject.of(url)).toBeUndefined();
  expect(origins("http://google.example").of("http://store.example/")).toBeDefined();
});
