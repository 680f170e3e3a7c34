import { afterAll, beforeAll, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await startPool({ flags: { "path-prefix": "/team/gw" } });
});
afterAll(() => pool[Symbol.asyncDispose]());

const originOf = (url: string): string => new URL(url).origin;

it("tells its base URL with the prefix", () => {
  expect(pool.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/team\/gw$/);
});

it("serves below the prefix, and without it for a reverse proxy that takes it off", async () => {
  for (const base of [pool.url, originOf(pool.url)]) {
    const response = await ask(base);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("Hello from project");
  }
  // The upstream never hears of it.
  for (const { path } of pool.emulator.calls.recent()) expect(path).toMatch(/^\/v1beta\//);
});

it("answers probes in both places", async () => {
  for (const base of [pool.url, originOf(pool.url)]) {
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
  }
});

it("is no open door: other prefixes are not found", async () => {
  for (const path of [
    "/team/v1beta/models",
    "/team/gwx/v1beta/models",
    "/team/gw/team/gw/v1beta/models",
    "/gw/healthz",
  ]) {
    expect((await fetch(originOf(pool.url) + path)).status).toBe(404);
  }
});
