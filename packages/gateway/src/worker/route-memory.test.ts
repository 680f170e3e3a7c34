import { expect, it } from "vitest";
import { RouteMemory } from "./route-memory.ts";

const PATH = "/v1beta/models/m:streamGenerateContent";

it("finds the very same route again", () => {
  const memory = new RouteMemory("", new Map());
  const route = memory.routeOf("POST", `${PATH}?alt=sse`);
  expect(route).toMatchObject({ model: "m", answer: "sse" });
  expect(memory.routeOf("POST", `${PATH}?alt=sse`)).toBe(route);
  expect(memory.routeOf("GET", `${PATH}?alt=sse`)?.operation).toBe("other");
});

it.each([`${PATH}?key=test-key-1`, `${PATH}?alt=sse&key=test-key-1`, `/v1beta/models/${"m".repeat(200)}:x`])(
  "remembers nothing of %s",
  (target) => {
    const memory = new RouteMemory("", new Map());
    const route = memory.routeOf("POST", target);
    expect(route).toBeDefined();
    expect(memory.routeOf("POST", target)).not.toBe(route);
  },
);

it("knows the paths below the prefix and those without it", () => {
  const memory = new RouteMemory("/gw", new Map());
  for (const prefix of ["/gw", "", "/gw"]) {
    expect(memory.routeOf("POST", prefix + PATH)?.upstreamPath).toBe(PATH);
  }
  expect(memory.routeOf("POST", `/other${PATH}`)).toBeUndefined();
});

it("forgets all at its bound, and goes on", () => {
  const memory = new RouteMemory("", new Map());
  const first = memory.routeOf("GET", "/v1beta/models/m0");
  for (let at = 1; at < 3000; at += 1) memory.routeOf("GET", `/v1beta/models/m${at}`);
  expect(memory.routeOf("GET", "/v1beta/models/m0")).not.toBe(first);
});
