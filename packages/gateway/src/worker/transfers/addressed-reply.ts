/**
 * The client's reply where files bear the gateway's address by setting: changes answers on their way to it, those kept
 * whole and those that pass. Worker threads; one for each request, none by default. What is learnt and told of an
 * answer is read before this, from Google's own bytes.
 */
import { AddressStream } from "@gemini-gateway/gemini/resources/address-stream";
import { GOOGLE_ORIGIN, type PublicBase } from "@gemini-gateway/gemini/resources/file-address";
import type { Route } from "@gemini-gateway/gemini/route";
import { headerOf } from "../../http1/header-list.ts";
import type { AnswerWay } from "../answer-gate.ts";
import type { KeptAnswer } from "../kept-answer.ts";
import { withGatewaysUris } from "./file-uris.ts";

/** The way to the reply on which files get the first of these addresses; the reply itself when there is none. */
export function withGatewaysAddresses(
  reply: AnswerWay,
  route: Pick<Route, "surface">,
  bases: readonly PublicBase[],
): AnswerWay {
  const [base] = bases;
  return base === undefined ? reply : new AddressedReply(reply, route, base);
}

class AddressedReply implements AnswerWay {
  readonly #reply: AnswerWay;
  readonly #route: Pick<Route, "surface">;
  readonly #base: PublicBase;
  /** Of an answer that passes and may hold addresses. */
  #addresses: AddressStream | undefined;

  constructor(reply: AnswerWay, route: Pick<Route, "surface">, base: PublicBase) {
    this.#reply = reply;
    this.#route = route;
    this.#base = base;
  }

  begin(status: number, rawHeaders: readonly string[], isStream: boolean): void {
    const mayHold = isReadable(rawHeaders) && (isStream ? !this.#isChat : isJson(rawHeaders));
    if (mayHold) this.#addresses = new AddressStream(GOOGLE_ORIGIN, this.#base);
    // Its length will be another.
    this.#reply.begin(status, rawHeaders, isStream || mayHold);
  }

  write(chunk: Buffer): boolean {
    const bytes = this.#addresses === undefined ? chunk : this.#addresses.push(chunk);
    // All of it may be the beginning of an address, until the next chunk says otherwise.
    return bytes.length === 0 || this.#reply.write(bytes);
  }

  flushHead(): void {
    this.#reply.flushHead();
  }

  end(last?: string): void {
    const begun = this.#addresses?.end();
    if (begun !== undefined) this.#reply.write(begun);
    this.#reply.end(last);
  }

  whole(answer: KeptAnswer): void {
    this.#reply.whole(withGatewaysUris(answer, [this.#base]));
  }

  cut(): void {
    this.#reply.cut();
  }

  /** Streams of the OpenAI dialect have no field for a file's address. */
  get #isChat(): boolean {
    return this.#route.surface === "openai";
  }
}

/** We ask for no encoding, but whoever sits between may add one. */
function isReadable(rawHeaders: readonly string[]): boolean {
  return (headerOf(rawHeaders, "content-encoding") ?? "") === "";
}

function isJson(rawHeaders: readonly string[]): boolean {
  return headerOf(rawHeaders, "content-type")?.startsWith("application/json") === true;
}
