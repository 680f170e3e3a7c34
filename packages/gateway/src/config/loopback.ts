/** Tells addresses that only this machine can reach. Pure. */

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){1,3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;

/** True when listening on `host` accepts callers of this machine only. An unknown name counts as reachable. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
