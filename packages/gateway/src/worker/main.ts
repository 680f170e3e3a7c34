/**
 * Entry of an HTTP worker thread: builds the graph and runs until told to drain. Owns the bytes of its requests;
 * never opens the database, never decides which key.
 */
import { LeasePocket } from "@gemini-gateway/core/lease-pocket";
import { DEFAULT_POCKET_OPTIONS } from "@gemini-gateway/core/model-demand";
import { RetryBudget } from "@gemini-gateway/core/retry-budget";
import type { Server } from "node:http";
import { workerData } from "node:worker_threads";
import type { ToPrimary, ToWorker, WorkerStart } from "../protocol.ts";
import { SharedCounters } from "../shared-counters.ts";
import { FrontDoor } from "./front-door.ts";
import { createHttpServer } from "./http-server.ts";
import { LeaseDesk } from "./lease-desk.ts";
import { Outbox } from "./outbox.ts";
import { RequestIds } from "./request-ids.ts";
import type { Service } from "./service.ts";
import { Upstream } from "./upstream.ts";

/** How often expired leases are given back and the primary hears that the thread is alive, milliseconds. */
const PULSE_MS = 1000;
/** While draining, how often connections without a request are closed, milliseconds. */
const IDLE_CHECK_MS = 25;

function run(start: WorkerStart): void {
  const { config, channel } = start;
  const now = Date.now;
  const pocket = new LeasePocket({ ...DEFAULT_POCKET_OPTIONS, batchMax: config.lease.batch });
  const outbox = new Outbox(channel, pocket);
  const desk = new LeaseDesk(pocket, outbox, now);
  const counters = new SharedCounters(start.counters, start.part);
  const upstream = new Upstream({
    upstream: new URL(config.upstream),
    proxy: config.proxy === "" ? undefined : new URL(config.proxy),
    connectMs: config.timeouts.connectMs,
    firstByteMs: config.timeouts.firstByteMs,
    idleMs: config.timeouts.idleMs,
    http2: config.upstreamHttp2,
  });
  let active = 0;
  const service: Service = {
    config,
    counters,
    desk,
    upstream,
    retryBudget: new RetryBudget({ ratio: config.retry.ratio, burst: config.retry.burst }),
    now,
    begun: () => {
      active += 1;
    },
    ended: (row) => {
      active -= 1;
      counters.subtract("requests", 1);
      outbox.log(row);
    },
  };
  const door = new FrontDoor(service, new RequestIds());
  const server = createHttpServer(config, (request, response) => {
    // While draining, nothing is kept alive: the client's next request goes to whoever takes over.
    if (draining) response.shouldKeepAlive = false;
    door.receive(request, response);
  });
  const send = (message: ToPrimary): void => channel.postMessage(message);
  let draining = false;

  const finishDrain = (): void => {
    desk.close();
    outbox.flush();
    send({ type: "worker.drained" });
  };

  channel.on("message", (message: ToWorker) => {
    switch (message.type) {
      case "lease.answer":
        desk.receive(message.answers);
        return;
      case "lease.revoke":
        desk.revoke(message.leaseIds);
        return;
      case "pool.grew":
        desk.poolGrew();
        return;
      case "worker.drain":
        draining = true;
        closeWhenIdle(server, finishDrain);
    }
  });

  setInterval(() => {
    desk.tick();
    send({ type: "worker.pulse", activeRequests: active, waiting: desk.waitingCount });
  }, PULSE_MS).unref();

  server.listen({ port: start.port, host: config.host, reusePort: start.reusePort }, () => {
    send({ type: "worker.listening" });
  });
}

/** Accepts no new connection, and closes the others as their last answer has left. */
function closeWhenIdle(server: Server, done: () => void): void {
  const timer = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  server.close(() => {
    clearInterval(timer);
    done();
  });
}

run(workerData as WorkerStart);
