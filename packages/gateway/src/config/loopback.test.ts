import { expect, test } from "vitest";
import { isLoopback } from "./loopback.ts";

test.each([
  "127.0.0.1",
  "127.1.2.3",
  "127.1",
  "localhost",
  "LOCALHOST",
  "a.localhost",
  "::1",
  "::ffff:127.0.0.1",
])("%s reaches this machine only", (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "localhost.example", "1.127.0.0", "::2", ""])(
  "%s may be reached by others",
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
