/** Who takes part in the comparisons: this gateway, another revision of it, and the peers. */
import type { Bench, Entrant } from "./bench.ts";
import { GATEWAY_PROGRAM, startGateway } from "./contenders/gateway.ts";
import { startNginx, NGINX } from "./contenders/nginx.ts";
import { HOW_TO_INSTALL, PORTKEY, startPortkey } from "./contenders/portkey.ts";
import { startUndiciProxy, UNDICI_PROXY } from "./contenders/undici-proxy.ts";

export const GATEWAY = "gateway";

export interface GatewaySetup {
  readonly workers: number;
  readonly keys: readonly string[];
  readonly flags?: readonly string[];
}

/** The program of the working tree, and of the revision it is held against, if any. */
export function gatewayPrograms({ against }: Bench): { readonly name: string; readonly program: string }[] {
  return [
    { name: GATEWAY, program: GATEWAY_PROGRAM },
    ...(against === undefined ? [] : [{ name: againstName(against.revision), program: against.program }]),
  ];
}

/** Gateways to be compared, all set up alike. */
export function gatewayEntrants(bench: Bench, setup: GatewaySetup): Entrant[] {
  return gatewayPrograms(bench).map(({ name, program }) => ({
    name,
    isRequired: true,
    start: (around) => startGateway(around, { name, program, ...setup }),
  }));
}

/** The others, each with one thread; `key` is one that the upstream knows. */
export function peerEntrants(bench: Bench, key: string): Entrant[] {
  const { portkeyFolder } = bench;
  return [
    { name: NGINX, isRequired: false, start: (around) => startNginx(around, key) },
    { name: UNDICI_PROXY, isRequired: false, start: (around) => startUndiciProxy(around, key) },
    {
      name: PORTKEY,
      isRequired: false,
      hint: HOW_TO_INSTALL,
      start: (around) => startPortkey(around, key, portkeyFolder),
    },
  ];
}

/** How another revision is called in the report. */
export function againstName(revision: string): string {
  return `${GATEWAY} at ${revision}`;
}
