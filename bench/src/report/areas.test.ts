import { expect, test } from "vitest";
import { timeByAreaUs } from "./areas.ts";

/** A profile in which each function is called by the one before, and sampled once for as long as stated. */
function profileOf(...calls: readonly (readonly [functionName: string, url: string, us: number])[]) {
  return {
    nodes: calls.map(([functionName, url], id) => ({
      id,
      callFrame: { functionName, url },
      children: id + 1 < calls.length ? [id + 1] : [],
    })),
    samples: calls.map((_, id) => id),
    timeDeltas: calls.map(([, , us]) => us),
  };
}

function areaOf(url: string): string | undefined {
  return timeByAreaUs(profileOf(["anything", url, 1]))
    .keys()
    .next().value;
}

test("files belong to their folder, their package or their part of Node", () => {
  const root = "file:///anywhere/packages";
  expect(areaOf(`${root}/gateway/src/worker/exchange.ts`)).toBe("gateway worker/");
  expect(areaOf(`${root}/gateway/src/worker/guard/bans.ts`)).toBe("gateway worker/guard/");
  expect(areaOf(`${root}/gateway/src/config.ts`)).toBe("gateway");
  expect(areaOf(`${root}/core/src/lease-pocket.ts`)).toBe("core/");
  const store = "file:///anywhere/node_modules/.pnpm";
  expect(areaOf(`${store}/undici@8.0.0/node_modules/undici/lib/client.js`)).toBe("undici");
  expect(areaOf(`${store}/better-sqlite3@13.0.0/node_modules/better-sqlite3/lib/database.js`)).toBe("SQLite");
  expect(areaOf("node:_http_server")).toBe("node:http");
  expect(areaOf("node:internal/stream_base_commons")).toBe("node:net, streams, events");
});

test("native functions are told by their name, or belong to whoever calls them; idle time and the profiler are left out", () => {
  const worker = ["send", "file:///anywhere/packages/gateway/src/worker/upstream.ts", 10] as const;
  const times = timeByAreaUs(
    profileOf(
      ["(root)", "", 0],
      worker,
      ["writev", "", 5],
      ["now", "", 3],
      ["(idle)", "", 1000],
      ["post", "node:inspector", 500],
    ),
  );
  expect(Object.fromEntries(times)).toEqual({ "gateway worker/": 10, "socket writes": 8 });
  expect(Object.fromEntries(timeByAreaUs(profileOf(worker, ["now", "", 3])))).toEqual({
    "gateway worker/": 13,
  });
});
