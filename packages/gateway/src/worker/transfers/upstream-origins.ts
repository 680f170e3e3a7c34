/**
 * The hosts that Google's answers lead to: where an upload goes on, where a download really is. Worker threads.
 * A key goes to the upstream alone; other hosts get what is in the URL and nothing else.
 */
import { GOOGLE_ORIGIN } from "@gemini-gateway/gemini/resources/file-address";
import { Upstream, type UpstreamOptions } from "../upstream.ts";

/** Other hosts whose connections are kept; the one first met goes first. Its last connections close of themselves. */
const ORIGINS_MAX = 16;

/** Where one request of a transfer goes. */
export interface Destination {
  readonly upstream: Upstream;
  /** Path and query below the upstream's own prefix. */
  readonly path: string;
  /** Whether the key may go there. */
  readonly isUpstreams: boolean;
}

export class UpstreamOrigins {
  readonly #options: UpstreamOptions;
  readonly #own: Upstream;
  readonly #others = new Map<string, Upstream>();

  /** @param own the way to the upstream itself */
  constructor(options: UpstreamOptions, own: Upstream) {
    this.#options = options;
    this.#own = own;
  }

  /**
   * Where an absolute URL leads. Google's own address is the upstream's, whatever stands between.
   * @returns undefined for what must not be followed: no URL, another protocol, from https to http
   */
  of(address: string): Destination | undefined {
    const url = URL.parse(address);
    if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return undefined;
    const path = url.pathname + url.search;
    const own = this.#own;
    if (url.origin === own.origin) {
      const isBelow = own.pathPrefix !== "" && path.startsWith(`${own.pathPrefix}/`);
      return {
        upstream: own,
        path: isBelow ? path.slice(own.pathPrefix.length) : path,
        isUpstreams: true,
      };
    }
    if (url.origin === GOOGLE_ORIGIN) return { upstream: own, path, isUpstreams: true };
    if (url.protocol === "http:" && own.origin.startsWith("https:")) return undefined;
    return { upstream: this.#other(url.origin), path, isUpstreams: false };
  }

  #other(origin: string): Upstream {
    const known = this.#others.get(origin);
    if (known !== undefined) return known;
    const other = new Upstream({ ...this.#options, upstream: new URL(origin) });
    const [first] = this.#others.keys();
    if (this.#others.size >= ORIGINS_MAX && first !== undefined) this.#others.delete(first);
    this.#others.set(origin, other);
    return other;
  }
}
