import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask, askStream } from "./harness/requests.ts";

const REQUESTS = 3_000;
const AT_ONCE = 64;

it("sends at most 0.2 messages per request between the threads at load", async () => {
  await using pool = await startPool({ flags: { "log-level": "warn" } });
  const before = pool.gateway.supervisor.messages;
  let left = REQUESTS;
  const client = async (): Promise<void> => {
    while (left-- > 0) await (await ask(pool.url)).arrayBuffer();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  const messages = pool.gateway.supervisor.messages - before;
  expect(messages / REQUESTS).toBeLessThanOrEqual(0.2);
  expect(messages).toBeGreaterThan(0);
});

it("serves a lone request with a handful of messages", async () => {
  await using pool = await startPool({ flags: { workers: 1 } });
  const before = pool.gateway.supervisor.messages;
  await (await askStream(pool.url)).text();
  await pool.requestLogged();
  // A wish, its answer, the report, and a pulse that may fall in between.
  expect(pool.gateway.supervisor.messages - before).toBeLessThanOrEqual(5);
});
