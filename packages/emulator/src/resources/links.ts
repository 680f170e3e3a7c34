/**
 * The absolute URLs the emulator hands out: where uploads go on, where downloads are fetched, what a file's URI is.
 * Upload and download hosts are a second port with names of their own, so that whoever follows a link past a gateway
 * is seen.
 */

/** What a caller states of the hosts. */
export interface HostOptions {
  /** Name in upload URLs. It has to resolve to 127.0.0.1. Default `localhost`. */
  readonly uploadHost?: string;
  /** Name in the links to which downloads redirect. It has to resolve to 127.0.0.1. Default `localhost`. */
  readonly downloadHost?: string;
  /** Origin of file URIs in answers. Default Google's own, as clients expect; nothing ever connects to it. */
  readonly fileUriOrigin?: string;
  /** The API's port refuses what belongs to the other hosts. Default false: Google's own are one host. */
  readonly strictHosts?: boolean;
}

const GOOGLE_ORIGIN = "https://generativelanguage.googleapis.com";

export class Links {
  readonly strictHosts: boolean;
  readonly fileUriOrigin: string;
  readonly #hosts: HostOptions;
  #side = { scheme: "http", port: 0 };

  constructor(hosts: HostOptions) {
    this.#hosts = hosts;
    this.strictHosts = hosts.strictHosts ?? false;
    this.fileUriOrigin = hosts.fileUriOrigin ?? GOOGLE_ORIGIN;
  }

  /** Tells where the second port is, once it listens. */
  open(scheme: "http" | "https", port: number): void {
    this.#side = { scheme, port };
  }

  get uploadOrigin(): string {
    return this.#sideOrigin(this.#hosts.uploadHost);
  }

  get downloadOrigin(): string {
    return this.#sideOrigin(this.#hosts.downloadHost);
  }

  /** `…/v1beta/files/abc`; Google writes v1beta whatever version was asked. */
  fileUri(fileName: string): string {
    return `${this.fileUriOrigin}/v1beta/${fileName}`;
  }

  /** The name in a file URI: of Google's origin, of the configured one, or bare. `foreign` for another origin's. */
  fileNameIn(uri: string): { readonly name: string } | "not-a-file" | "foreign" {
    if (/^files\/[\w-]+$/.test(uri)) return { name: uri };
    const [, origin = "", name] = /^(https?:\/\/[^/]+)\/+v1(?:beta|alpha)?\/+(files\/[\w-]+)/.exec(uri) ?? [];
    if (name === undefined) return "not-a-file";
    return origin === GOOGLE_ORIGIN || origin === this.fileUriOrigin ? { name } : "foreign";
  }

  #sideOrigin(host: string | undefined): string {
    return `${this.#side.scheme}://${host ?? "localhost"}:${this.#side.port}`;
  }
}
