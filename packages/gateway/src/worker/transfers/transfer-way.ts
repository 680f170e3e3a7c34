/**
 * Where a transfer goes and has been: to the upstream, then where its answers lead, each hop within a bound. Worker
 * threads. Knows which hosts have seen the key, and so whose answers say something of it.
 */
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { LastFailure } from "../final-answer.ts";
import type { KeptAnswer } from "../kept-answer.ts";
import type { HeldUse } from "../lease-seeker.ts";
import { isRedirect, redirectOf } from "./redirect.ts";
import type { Upstream } from "../upstream.ts";
import type { Destination, UpstreamOrigins } from "./upstream-origins.ts";

/** Redirects followed for one download. */
const HOPS_MAX = 5;

export class TransferWay {
  readonly #origins: UpstreamOrigins;
  readonly #upstream: Upstream;
  #current: Destination | undefined;
  #hops = 0;
  /** Whether the upstream has taken the key. */
  #isProved = false;

  constructor(origins: UpstreamOrigins, upstream: Upstream) {
    this.#origins = origins;
    this.#upstream = upstream;
  }

  /** Begins at the upstream, or begins anew with another key. */
  begin(path: string): Destination {
    const destination = { upstream: this.#upstream, path, isUpstreams: true };
    this.#start(destination);
    return destination;
  }

  /** Begins where the upload that the use is for goes on; undefined when that is not known. */
  goOnAt({ owner }: HeldUse): Destination | undefined {
    const destination = this.#origins.of(owner?.detail ?? "");
    this.#start(destination);
    return destination;
  }

  #start(destination: Destination | undefined): void {
    this.#current = destination;
    this.#hops = 0;
    this.#isProved = false;
  }

  /** Where an answer leads; undefined when it leads nowhere that may be followed. */
  follow(kept: KeptAnswer | undefined): Destination | undefined {
    const from = this.#current;
    if (from === undefined || kept === undefined || this.#hops >= HOPS_MAX) return undefined;
    const address = redirectOf(kept, from.upstream.origin + from.upstream.pathPrefix + from.path);
    const next = address === undefined ? undefined : this.#origins.of(address);
    if (next === undefined) return undefined;
    this.#hops += 1;
    this.#isProved ||= from.isUpstreams;
    // Another host must not choose what is asked with the key: it does not come back.
    this.#current = { ...next, isUpstreams: from.isUpstreams && next.isUpstreams };
    return this.#current;
  }

  /** Origin of the host that was asked last. */
  get origin(): string {
    return this.#current?.upstream.origin ?? "";
  }

  /** Whether it has led to no other host. */
  get isAtUpstream(): boolean {
    return this.#current?.isUpstreams === true;
  }

  /** What goes with the next request: a key is not for other hosts. */
  credentialFor({ secret }: HeldUse): string {
    return this.isAtUpstream ? secret : "";
  }

  /** What is known of the key: what another host says, who was not shown it, says nothing. */
  ofKey(outcome: Outcome): Outcome {
    if (this.isAtUpstream) return outcome;
    return this.#isProved ? { kind: "served" } : { kind: "caller-left" };
  }

  /** What it means to the request. */
  ofRequest(outcome: Outcome, kept: KeptAnswer | undefined): LastFailure {
    if (!("evidence" in outcome)) return { outcome, kept };
    const { evidence } = outcome;
    // Whoever follows it himself goes around the gateway.
    if (kept !== undefined && isRedirect(kept))
      return { outcome: { kind: "broken", evidence }, kept: undefined };
    // An answer of another host is the client's to see as it is.
    if (this.isAtUpstream || evidence.httpStatus === 0) return { outcome, kept };
    return { outcome: { kind: "caller-fault", evidence }, kept };
  }
}
