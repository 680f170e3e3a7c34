import { describe, expect, it } from "vitest";
import type { RunningStatus } from "../src/control/types.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { hasPrometheusParser, metric, parsePrometheus } from "./harness/prometheus.ts";
import { ask, askStream, MODEL } from "./harness/requests.ts";

const OPERATOR = { authorization: "Bearer s3cret-of-the-operator" };
const FLAGS = { "auth-key": "operator=s3cret-of-the-operator" };

/** The pool after three answered requests and one for a model that does not exist. */
async function poolWithTraffic(flags: Readonly<Record<string, string>> = {}): Promise<Pool> {
  const pool = await startPool({ flags: { ...FLAGS, ...flags } });
  await (await ask(pool.url)).text();
  await (await ask(pool.url)).text();
  await (await askStream(pool.url)).text();
  await (await ask(pool.url, { path: "/v1beta/models/made-up:generateContent" })).text();
  await pool.requestLogged((row) => row.model === "made-up");
  await pool.requestLogged((row) => row.path.includes("stream"));
  return pool;
}

async function statusOf(pool: Pool): Promise<RunningStatus> {
  const response = await fetch(`${pool.url}/status`, { headers: OPERATOR });
  return (await response.json()) as RunningStatus;
}

async function metricsOf(pool: Pool): Promise<string> {
  const response = await fetch(`${pool.url}/metrics`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return response.text();
}

describe("/status", () => {
  it("tells an authenticated caller of keys, models, requests, times, leases, workers and the process", async () => {
    await using pool = await poolWithTraffic();
    const response = await fetch(`${pool.url}/status`, { headers: OPERATOR });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const status = (await response.json()) as RunningStatus;
    expect(status).toMatchObject({
      running: true,
      draining: false,
      baseUrl: pool.url,
      bans: 0,
      inFlight: 0,
      waiting: 0,
      keys: { total: 3 },
      requests: {
        total: 4,
        byOutcome: {
          served: 3,
          "caller-fault": 1,
        },
      },
      recent: {
        requests: 4,
        successRate: 1,
        attempts: 4,
        retries: 0,
      },
      database: {
        state: "ok",
        lostRows: 0,
      },
      workers: [
        {
          id: 1,
          state: "serving",
        },
        {
          id: 2,
          state: "serving",
        },
      ],
    });
    const model = status.models.find(({ model: name }) => name === MODEL);
    expect(model).toMatchObject({ ready: 3, resting: 0, recent: { requests: 3 } });
    expect(Object.values(model?.keys ?? {}).reduce((sum, keys) => sum + keys, 0)).toBe(3);
    const { p50Ms, p99Ms } = model?.recent?.duration ?? {};
    expect(p50Ms).toBeGreaterThanOrEqual(0);
    expect(p99Ms).toBeGreaterThanOrEqual(Number(p50Ms));
    expect(status.process.memoryBytes).toBeGreaterThan(1_000_000);
    expect(JSON.stringify(status)).not.toMatch(/test-key|s3cret/);
  });

  it.each([
    ["nobody in particular", {}],
    ["a wrong auth key", { authorization: "Bearer wrong" }],
  ])("is refused to %s", async (_who, headers) => {
    await using pool = await startPool({ flags: FLAGS });
    const response = await fetch(`${pool.url}/status`, { headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { status: "UNAUTHENTICATED" } });
    expect(await pool.requestLogged()).toMatchObject({ outcome: "refused", path: "/status", status: 401 });
  });

  it("takes GET and HEAD, below the path prefix too", async () => {
    await using pool = await startPool({ flags: { ...FLAGS, "path-prefix": "/gw" } });
    const head = await fetch(`${pool.url}/status`, { method: "HEAD", headers: OPERATOR });
    expect([pool.url.endsWith("/gw"), head.status, await head.text()]).toEqual([true, 200, ""]);
    const bare = await fetch(new URL("/status", pool.url), { headers: OPERATOR });
    expect(bare.status).toBe(200);
    expect(
      (await fetch(`${pool.url}/status`, { method: "POST", headers: OPERATOR, body: "{}" })).status,
    ).toBe(405);
  });

  it("costs the primary little, however many ask", async () => {
    await using pool = await startPool({ flags: { ...FLAGS, workers: 1 } });
    const before = pool.gateway.supervisor.messages;
    const answers = await Promise.all(Array.from({ length: 200 }, () => statusOf(pool)));
    expect(answers.every(({ running }) => running)).toBe(true);
    // Two for a page, a new one every half second; pulses and reports besides.
    expect(pool.gateway.supervisor.messages - before).toBeLessThan(20);
  });

  it("shows a request while it is served, the same of the gateway and of its worker", async () => {
    await using pool = await startPool({ flags: FLAGS });
    pool.emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
    const stream = await askStream(pool.url);
    await expect.poll(async () => (await statusOf(pool)).inFlight).toBe(1);
    const { workers } = await statusOf(pool);
    expect(workers.reduce((sum, worker) => sum + worker.inFlight, 0)).toBe(1);
    pool.emulator.clearFaults();
    await stream.text();
    await expect.poll(async () => (await statusOf(pool)).inFlight, { timeout: 5_000 }).toBe(0);
  });

  it("shows a request that waits for a key", async () => {
    await using pool = await startPool({
      projects: [{ name: "alpha", keys: ["test-key-1"] }],
      flags: { ...FLAGS, "lease-max-wait": "60s", "retry-attempts": 1 },
    });
    pool.emulator.fault({ times: 1, fault: { kind: "error", error: "quota-minute", retryDelaySeconds: 2 } });
    // The only key rests for three seconds now.
    expect((await ask(pool.url)).status).toBe(429);
    const answer = ask(pool.url);
    await expect.poll(async () => (await statusOf(pool)).waiting, { timeout: 5_000 }).toBe(1);
    expect(await statusOf(pool)).toMatchObject({ inFlight: 1 });
    await (await answer).text();
    await expect.poll(async () => (await statusOf(pool)).waiting, { timeout: 5_000 }).toBe(0);
  });
});

describe("/metrics", () => {
  it("sums what all threads did", async () => {
    await using pool = await poolWithTraffic();
    const page = await metricsOf(pool);
    expect({
      served: metric(page, `gemini_gateway_requests_total{model="${MODEL}",outcome="served"}`),
      others: metric(page, 'gemini_gateway_requests_total{model="other",outcome="caller-fault"}'),
      attempts: metric(page, `gemini_gateway_upstream_attempts_total{model="${MODEL}"}`),
      timed: metric(page, `gemini_gateway_request_duration_seconds_count{model="${MODEL}"}`),
      firstBytes: metric(page, `gemini_gateway_time_to_first_byte_seconds_count{model="${MODEL}"}`),
      workers: metric(page, 'gemini_gateway_workers{state="serving"}'),
      keys: metric(page, `gemini_gateway_model_keys{model="${MODEL}",state="open"}`),
      database: metric(page, "gemini_gateway_database_up"),
      ready: metric(page, "gemini_gateway_ready"),
    }).toEqual({
      served: 3,
      others: 1,
      attempts: 3,
      timed: 3,
      firstBytes: 3,
      workers: 2,
      keys: 3,
      database: 1,
      ready: 1,
    });
    expect(metric(page, `gemini_gateway_tokens_total{model="${MODEL}",direction="output"}`)).toBeGreaterThan(
      0,
    );
  });

  it.skipIf(!hasPrometheusParser)(
    "is understood by Prometheus's own parser, each with help and a proper name",
    async () => {
      await using pool = await poolWithTraffic();
      const families = await parsePrometheus(await metricsOf(pool));
      expect(families.length).toBeGreaterThan(20);
      for (const { name, type, help, samples } of families) {
        expect(name).toMatch(/^(?:gemini_gateway|process)_[a-z0-9_]+$/);
        expect({ name, help }).not.toEqual({ name, help: "" });
        expect(["counter", "gauge", "histogram"]).toContain(type);
        expect(samples.filter(({ value }) => !(Number(value) >= 0))).toEqual([]);
      }
      // The parser takes `_total` off the names of counters, and off them only.
      expect(families.filter(({ name }) => name.endsWith("_total"))).toEqual([]);
      const times = families.find(({ name }) => name === "gemini_gateway_request_duration_seconds");
      const buckets = times?.samples
        .filter(({ name }) => name.endsWith("_bucket"))
        .map(({ value }) => Number(value));
      expect(buckets).toEqual(buckets?.toSorted((left, right) => left - right));
      expect(buckets?.at(-1)).toBe(3);
    },
  );

  it("makes no label of the names callers make up, nor of callers or keys", async () => {
    await using pool = await startPool({ flags: FLAGS });
    for (let name = 0; name < 20; name += 1) {
      await (await ask(pool.url, { path: `/v1beta/models/made-up-${name}:generateContent` })).text();
    }
    await pool.requestLogged(({ model }) => model === "made-up-19");
    const text = await (await fetch(`${pool.url}/metrics`)).text();
    expect(text).toContain('gemini_gateway_requests_total{model="other",outcome="caller-fault"} 20');
    expect(text).not.toMatch(/requests_total\{model="made-up|k-[a-z2-7]{12}|test-key|127\.0\.0\.1/);
  });

  it.each([
    ["anyone", 200, 200],
    ["authenticated", 401, 200],
    ["nobody", 404, 404],
  ])("is for %s when so configured", async (access, anonymous, authenticated) => {
    await using pool = await startPool({ flags: { ...FLAGS, "metrics-access": access } });
    expect((await fetch(`${pool.url}/metrics`)).status).toBe(anonymous);
    expect((await fetch(`${pool.url}/metrics`, { headers: OPERATOR })).status).toBe(authenticated);
  });
});
