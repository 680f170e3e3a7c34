/** Connects to the upstream itself. Worker threads and probers. */
import { connect } from "node:net";
import { TCP_KEEP_ALIVE_MS, type Dial } from "./dial.ts";
import { egressErrorOf } from "./egress-error.ts";

/** IPv4 and IPv6 addresses are tried in turn, a quarter of a second apart, as browsers do (RFC 8305). */
const NEXT_ADDRESS_AFTER_MS = 250;

export const dialDirectly: Dial = ({ host, port }, signal, onread) =>
  new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      ...(onread !== undefined && { onread }),
    });
    // An open connection lives for hours: nothing of its opening stays with it but a listener without memory.
    const settle = (): void => {
      signal.removeEventListener("abort", abort);
      socket.off("connect", open).off("error", fail);
    };
    const open = (): void => {
      settle();
      resolve(socket);
    };
    const fail = (error: Error): void => {
      settle();
      reject(egressErrorOf(error));
    };
    const abort = (): void => {
      settle();
      socket.destroy();
      reject(signal.reason as Error);
    };
    socket.on("connect", open).on("error", fail).on("error", ignore);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
  });

/** Between here and the HTTP client's own listener an error must not go unheard. */
function ignore(): void {}
