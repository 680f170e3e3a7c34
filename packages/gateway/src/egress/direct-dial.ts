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
      signal,
      ...(onread !== undefined && { onread }),
    });
    socket.once("connect", () => resolve(socket));
    // Stays: between here and the HTTP client's own listener an error must not go unheard.
    socket.on("error", (error) => reject(signal.aborted ? (signal.reason as Error) : egressErrorOf(error)));
  });
