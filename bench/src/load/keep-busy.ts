/**
 * Keeps so many connections busy, each sending its next request when the last is answered: what autocannon does, at half
 * of its cost, for the figures in which the generator must not be what limits a contender. Load process.
 */
import { Connection, requestBytesOf } from "./connection.ts";
import type { LoadJobs, SaturationResult } from "./protocol.ts";

export async function keepBusy(order: LoadJobs["keepBusy"]["order"]): Promise<SaturationResult> {
  const { target, connections, durationMs } = order;
  const request = requestBytesOf(target);
  const open = new Set<Connection>();
  let [served, failed, isOver] = [0, 0, false];
  const listener = {
    progressed(connection: Connection): void {
      const { state, status } = connection.reader;
      if (state !== "complete" || isOver) return;
      if (status >= 200 && status <= 299) served += 1;
      else failed += 1;
      connection.send(request);
    },
    closed(connection: Connection): void {
      open.delete(connection);
      // Not opened again: a contender that closes is told by the failures.
      if (!isOver) failed += 1;
    },
  };
  for (let count = 0; count < connections; count += 1) open.add(new Connection(target, listener));
  await Promise.all([...open].map((connection) => connection.opened()));
  const startMs = performance.now();
  for (const connection of open) connection.send(request);
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, durationMs);
  await promise;
  const result = { served, failed, durationMs: performance.now() - startMs };
  isOver = true;
  for (const connection of open) connection.destroy();
  return result;
}
