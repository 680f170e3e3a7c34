/** Settles on the one port that all workers will share. Primary thread. */
import { OperatorError } from "../control/operator-error.ts";
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
 * @throws OperatorError when the address cannot be listened on
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
  server.once("error", (error: NodeJS.ErrnoException) =>
    reject(isUnsupported(error) ? error : explained(error, host, port)),
  );
  server.listen({ host, port, reusePort }, () => resolve(server));
  return promise;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): OperatorError {
  const reason = REASONS[error.code ?? ""] ?? error.code ?? error.message;
  return new OperatorError("address-unusable", `Cannot listen on ${host}, port ${port}: ${reason}.`, {
    cause: error,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there already",
  EACCES: "this user may not (ports below 1024 are for root)",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no host of that name",
};

function isUnsupported(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOTSUP" || code === "EINVAL" || code === "ENOPROTOOPT";
}
