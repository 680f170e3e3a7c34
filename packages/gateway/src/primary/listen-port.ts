/** Settles on the one port that all workers will share. Primary thread. */
import { createServer, type Server } from "node:net";

export interface ClaimedPort {
  readonly port: number;
  /** Whether several threads may listen on it at once; not every platform can. */
  readonly reusePort: boolean;
  /** Lets go of the claim; to be called once the workers listen. */
  release(): void;
}

/**
 * Claims `port` (0: a free one) on `host`, so that a taken port is told before any thread starts.
 * @throws the system's error, such as EADDRINUSE or EACCES.
 */
export async function claimPort(host: string, port: number): Promise<ClaimedPort> {
  // First alone: a shared listener would join another gateway's port in silence, and take half of its requests.
  const alone = await listen(host, port, false);
  const chosen = portOf(alone);
  await new Promise((resolve) => alone.close(resolve));
  try {
    const shared = await listen(host, chosen, true);
    return { port: chosen, reusePort: true, release: () => void shared.close() };
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    return { port: chosen, reusePort: false, release: () => undefined };
  }
}

function listen(host: string, port: number, reusePort: boolean): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const server = createServer((socket) => socket.destroy());
  server.once("error", reject);
  server.listen({ host, port, reusePort }, () => resolve(server));
  return promise;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function isUnsupported(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOTSUP" || code === "EINVAL" || code === "ENOPROTOOPT";
}
