/** No contender at all: the same load sent to the upstream itself, from which added latency is counted. */
import { plainTarget, type Contender } from "./contender.ts";

export const DIRECT = "direct";

export function directTo(upstream: string, key: string): Contender {
  return {
    name: DIRECT,
    pid: undefined,
    target: (path, body) => plainTarget(upstream, key, path, body),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
