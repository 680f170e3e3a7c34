/** Large requests and answers, a fixed number of them, so many at once. Load process. */
import { Agent, request } from "node:http";
import type { BodiesResult, LoadJobs, Target } from "./protocol.ts";

/** What stands in the target's body where the padding goes. */
export const PADDING_MARK = "@padding@";

const TIMEOUT_MS = 60_000;

export async function exchangeBodies(order: LoadJobs["exchangeBodies"]["order"]): Promise<BodiesResult> {
  const { target, paddingBytes, requests, inFlight } = order;
  const body = Buffer.from(target.body.replace(PADDING_MARK, "x".repeat(paddingBytes)));
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const startMs = performance.now();
  let [started, served, failed, bytesReceived] = [0, 0, 0, 0];
  const sendInTurn = async (): Promise<void> => {
    while (started < requests) {
      started += 1;
      const received = await exchange(target, body, agent);
      if (received === undefined) failed += 1;
      else {
        served += 1;
        bytesReceived += received;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, sendInTurn));
  agent.destroy();
  const durationMs = performance.now() - startMs;
  return { served, failed, bytesSent: served * body.length, bytesReceived, durationMs };
}

/** The bytes of a good answer; undefined for any other end. */
function exchange(target: Target, body: Buffer, agent: Agent): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const headers = { ...target.headers, "content-length": body.length };
  const sent = request(
    `${target.origin}${target.path}`,
    { method: "POST", headers, agent, timeout: TIMEOUT_MS },
    (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("close", () =>
        resolve(response.complete && response.statusCode === 200 ? bytes : undefined),
      );
    },
  );
  sent.on("timeout", () => sent.destroy());
  sent.on("error", () => resolve(undefined));
  sent.end(body);
  return promise;
}
