import { expect, it } from "vitest";
import { listKeys } from "../src/control/commands.ts";
import { startConnectProxy } from "./harness/connect-proxy.ts";
import { startPool, type PoolOptions } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

/** Tests as fast as they can be, so that a test of them has little to wait for. */
const FAST = {
  probe: "auto",
  models: MODEL,
  "probing-after-failure": "1s",
  "probing-after-refusal": "1s",
  "probing-after-forbidden": "1s",
  "probing-after-network-fault": "1s",
};

/** A second, the default, is little for threads on a busy machine. */
const PATIENT = { timeout: 10_000 };

const DEAD: PoolOptions["projects"] = [
  { name: "only", keys: ["test-key-1"], keyStates: { "test-key-1": "invalid" } },
];

it("a dead key that works again comes back by a test, and no request is spent on finding out", async () => {
  await using pool = await startPool({ projects: DEAD, flags: FAST });
  expect((await ask(pool.url)).status).toBe(503);
  await pool.emulator.waitForCall(({ operation, status }) => operation === "models.list" && status === 400);
  expect((await ask(pool.url)).status).toBe(503);
  pool.emulator.setKeyState("test-key-1", "ok");
  await pool.emulator.waitForCall(({ operation, status }) => operation === "models.list" && status === 200);
  await expect.poll(async () => (await ask(pool.url)).status, PATIENT).toBe(200);
  const generations = pool.emulator.calls.recent().filter(({ operation }) => operation === "generateContent");
  expect(generations.map(({ status }) => status)).toEqual([400, 200]);
  await pool.endsInBalance();
});

it("whoever is refused meanwhile hears when the next test is, and so does whoever lists the keys", async () => {
  await using pool = await startPool({ projects: DEAD, flags: { probe: "auto", models: MODEL } });
  const refused = await ask(pool.url);
  expect(refused.status).toBe(503);
  const seconds = Number(refused.headers.get("retry-after"));
  expect(seconds).toBeGreaterThan(240);
  expect(seconds).toBeLessThanOrEqual(300);
  const [row] = await listKeys(pool.config);
  expect((row?.retryAtMs ?? 0) - Date.now()).toBeLessThanOrEqual(300_000);
});

it("with testing switched off, a request finds out as before", async () => {
  await using pool = await startPool({ projects: DEAD, flags: { "rest-key-dead": "1s" } });
  expect((await ask(pool.url)).status).toBe(503);
  pool.emulator.setKeyState("test-key-1", "ok");
  await expect.poll(async () => (await ask(pool.url)).status, PATIENT).toBe(200);
  expect(pool.emulator.calls.recent().map(({ operation }) => operation)).not.toContain("models.list");
});

it("a key that is being tested is never tried a second time meanwhile", async () => {
  await using pool = await startPool({ projects: DEAD, flags: FAST });
  await ask(pool.url);
  pool.emulator.fault({
    match: { operation: "models.list" },
    fault: { kind: "slow-first-byte", untilReleased: true },
  });
  await pool.emulator.waitForCall(({ phase }) => phase === "held");
  const { keyId } = pool.gateway.probing.plan.pair(pool.keyView("test-key-1").id, "*") ?? { keyId: 0 };
  const { tests } = pool.gateway.scheduler;
  expect(tests.subject(keyId, "*")?.isTrialOut).toBe(true);
  expect(tests.lease(99, keyId, MODEL, Date.now())).toBeUndefined();
  pool.emulator.clearFaults();
  await expect.poll(() => tests.subject(keyId, "*")?.isTrialOut, PATIENT).toBe(false);
});

it("a test thread that dies is replaced, and its batch is run once more", async () => {
  await using pool = await startPool({ projects: DEAD, flags: FAST });
  await ask(pool.url);
  const release = pool.emulator.fault({
    match: { operation: "models.list" },
    fault: { kind: "slow-first-byte", untilReleased: true },
  });
  await pool.emulator.waitForCall(({ phase }) => phase === "held");
  const [thread = 0] = pool.gateway.probing.pool.threadIds;
  pool.emulator.setKeyState("test-key-1", "ok");
  await pool.gateway.probing.pool.kill(thread);
  await pool.emulator.waitUntil(
    ({ calls }) => calls.recent().filter(({ operation }) => operation === "models.list").length === 2,
  );
  expect(pool.gateway.probing.pool.threadIds).not.toContain(thread);
  release();
  await expect.poll(() => pool.keyView("test-key-1").health.kind, PATIENT).toBe("good");
  await pool.endsInBalance();
});

it("tests go through the proxy that requests go through, and are not held against the key when it fails", async () => {
  await using proxy = await startConnectProxy();
  await using pool = await startPool({ projects: DEAD, flags: { ...FAST, proxy: proxy.url.href } });
  await ask(pool.url);
  const before = proxy.requests.length;
  await pool.emulator.waitForCall(({ operation }) => operation === "models.list");
  expect(proxy.requests.length).toBeGreaterThan(before);

  await using refusing = await startConnectProxy({ refuseWith: 502 });
  await using other = await startPool({ projects: DEAD, flags: { probe: "auto", proxy: refusing.url.href } });
  const { id } = other.keyView("test-key-1");
  const { orders, plan } = other.gateway.probing;
  const order = orders.open({ keyId: id, model: plan.models[0] ?? "" }, "count");
  const ends = await orders.run(order === undefined ? [] : [order], 1);
  expect(ends?.map(({ outcome }) => outcome.kind)).toEqual(["network"]);
  expect(other.keyView("test-key-1").health.kind).toBe("untested");
});

it("a test that is stuck ends after its time, is not held against the key, and keeps no other waiting", async () => {
  const keys = ["test-key-1", "test-key-2"];
  await using pool = await startPool({
    projects: [{ name: "only", keys }],
    flags: { "probing-timeout": "1s" },
  });
  pool.emulator.fault({
    match: { operation: "countTokens", key: "test-key-1" },
    fault: { kind: "slow-first-byte", untilReleased: true },
  });
  const { orders } = pool.gateway.probing;
  const opened = keys.flatMap(
    (key) => orders.open({ keyId: pool.keyView(key).id, model: MODEL }, "count") ?? [],
  );
  const ends = await orders.run(opened, 1);
  expect(ends?.map(({ outcome }) => outcome)).toMatchObject([
    { kind: "network", evidence: { reason: "timeout" } },
    { kind: "served" },
  ]);
  expect(keys.map((key) => pool.keyView(key).health.kind)).toEqual(["untested", "good"]);
  await pool.endsInBalance();
});

it("a request that was served is as good as a test: the next one is half a day away", async () => {
  await using pool = await startPool({
    projects: [{ name: "only", keys: ["test-key-1"] }],
    flags: { probe: "auto", models: MODEL },
  });
  expect((await ask(pool.url)).status).toBe(200);
  const { plan } = pool.gateway.probing;
  const { id } = pool.keyView("test-key-1");
  await expect.poll(() => plan.pair(id, MODEL)?.outcome, PATIENT).toBe("served");
  expect((plan.pair(id, MODEL)?.dueAtMs ?? 0) - Date.now()).toBeGreaterThan(10 * 3_600_000);
  await pool.restart();
  expect(pool.gateway.probing.plan.pair(id, MODEL)?.outcome).toBe("served");
  expect((pool.gateway.probing.plan.pair(id, MODEL)?.dueAtMs ?? 0) - Date.now()).toBeGreaterThan(
    10 * 3_600_000,
  );
});
