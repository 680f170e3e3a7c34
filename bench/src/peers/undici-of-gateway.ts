/**
 * The very undici that the gateway uses, resolved from its folder: a peer with another version would be another race.
 * The types are the part that the peer uses.
 */
import { createRequire } from "node:module";
import type { Readable } from "node:stream";

interface DispatchController {
  readonly rawHeaders: readonly (string | Buffer)[];
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

interface Undici {
  readonly Agent: new (options: { readonly headersTimeout: number; readonly bodyTimeout: number }) => {
    dispatch(
      options: {
        readonly origin: string;
        readonly path: string | undefined;
        readonly method: string | undefined;
        readonly headers: readonly string[];
        readonly body: Readable;
      },
      handler: {
        readonly onRequestStart: (controller: DispatchController) => void;
        readonly onResponseStart: (controller: DispatchController, status: number) => void;
        readonly onResponseData: (controller: DispatchController, chunk: Buffer) => void;
        readonly onResponseEnd: () => void;
        readonly onResponseError: () => void;
      },
    ): void;
  };
}

const fromGateway = createRequire(import.meta.resolve("gemini-gateway/package.json"));

export const undici = fromGateway("undici") as Undici;
