/**
 * How many input tokens a request has: guessed from its body before it is sent, and learnt from when the answer told.
 * Worker threads; one for each request. It reads the body at most once, and only when somebody asks.
 */
import type { TokenGauge } from "@gemini-gateway/core/quota/token-gauge";
import { requestTokensFloor, textBytes } from "@gemini-gateway/gemini/request-size";
import type { RequestBody } from "./request-body.ts";

export class RequestSize {
  readonly #body: RequestBody;
  readonly #gauge: TokenGauge;
  #tokens: number | undefined;
  /** Once measured; without bytes where those do not tell the tokens. */
  #text: { readonly bytes: number | undefined } | undefined;

  /** @param body must not have been released when a size is asked for the first time */
  constructor(body: RequestBody, gauge: TokenGauge) {
    this.#body = body;
    this.#gauge = gauge;
  }

  /** It has at least so many. */
  get floor(): number {
    return requestTokensFloor(this.#body.whole());
  }

  /** Guessed rather too high; the same number each time. */
  guess(model: string): number {
    this.#text ??= { bytes: textBytes(this.#body.whole()) };
    this.#tokens ??= this.#gauge.guess(model, this.#text.bytes);
    return this.#tokens;
  }

  /** Takes in what it really had; where nobody asked for a guess, the body is not read for it. */
  measured(model: string, tokens: number): void {
    if (this.#text !== undefined) this.#gauge.measured(model, this.#text.bytes, tokens);
  }
}
