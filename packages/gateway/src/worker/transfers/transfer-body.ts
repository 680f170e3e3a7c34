/**
 * The body of an upload on its way: kept whole, so that another key can get it too, or passed on as it comes when it is
 * too large for that or must not be sent twice. Worker threads.
 */
import type { SharedCounters } from "../../shared-counters.ts";
import { headerOf } from "../../http1/header-list.ts";
import type { ChunkList } from "../chunk-list.ts";
import type { BodyFault, ClientCall } from "../client/client-call.ts";
import { RequestBody, type BodyLimits, type BodyRefusal } from "../request-body.ts";
import type { OutgoingRequest } from "../upstream-call.ts";
import { BodyStart, type BodyStartOwner } from "./body-start.ts";
import { StreamedBody } from "./streamed-body.ts";

export interface TransferBodyOwner {
  /** Called once: it can be sent, or why not. Never when the client leaves. */
  bodyReady(refusal?: BodyRefusal): void;
  /** The rest of a body that is being sent will not come. */
  bodyBroken(fault: BodyFault): void;
}

export interface TransferBodyOptions {
  readonly counters: SharedCounters;
  readonly limits: BodyLimits;
  /** `none`: whatever the client sends is read past. `as-it-comes`: it must not be sent twice. */
  readonly way: "none" | "whole-if-it-fits" | "as-it-comes";
}

/** Nothing of a body, as it is sent. */
const NO_BODY = { body: [], bodyBytes: 0, source: undefined };

export class TransferBody implements BodyStartOwner {
  readonly #call: ClientCall;
  readonly #owner: TransferBodyOwner;
  readonly #options: TransferBodyOptions;
  /** At most one of them; none when there is no body. */
  #whole: RequestBody | undefined;
  #streamed: StreamedBody | undefined;
  #gathered: readonly Buffer[] | undefined;

  constructor(call: ClientCall, owner: TransferBodyOwner, options: TransferBodyOptions) {
    this.#call = call;
    this.#owner = owner;
    this.#options = options;
  }

  /** Reads what is to be kept, then tells the owner. */
  begin(): void {
    const { counters, limits, way } = this.#options;
    const { declaredBytes, rawHeaders } = this.#call;
    const isChunked = headerOf(rawHeaders, "transfer-encoding") !== undefined;
    if (way === "none" || (declaredBytes === 0 && !isChunked)) {
      this.#owner.bodyReady();
    } else if (way === "as-it-comes" || declaredBytes > limits.bodyBytes) {
      this.#stream(isChunked ? undefined : declaredBytes);
    } else if (isChunked) {
      this.#call.readBody(new BodyStart(this.#call, this));
    } else {
      const bodyRead = (refusal?: BodyRefusal): void => this.#owner.bodyReady(refusal);
      this.#whole = new RequestBody(counters, limits, { bodyRead });
      this.#whole.read(this.#call);
    }
  }

  /** A body of unknown length has ended before it was long: it may be sent again. */
  startIsAll(chunks: ChunkList): void {
    this.#gathered = chunks.all();
    this.#owner.bodyReady();
  }

  startOverflows(chunks: ChunkList): void {
    this.#stream(undefined, chunks);
  }

  startBroken(fault: BodyFault): void {
    if (this.#streamed === undefined) this.#owner.bodyReady(fault);
    else this.#owner.bodyBroken(fault);
  }

  #stream(bytes: number | undefined, start?: ChunkList): void {
    const broken = (fault: BodyFault): void => this.#owner.bodyBroken(fault);
    this.#streamed = new StreamedBody(this.#call, { bytes, start, broken });
    this.#owner.bodyReady();
  }

  /** As the upstream gets it; more than once only when {@link isReplayable}. */
  toSend(): Pick<OutgoingRequest, "body" | "bodyBytes" | "source"> {
    if (this.#streamed !== undefined) return { ...NO_BODY, source: this.#streamed };
    if (this.#whole !== undefined)
      return { ...NO_BODY, body: this.#whole.toSend(), bodyBytes: this.#whole.bytes };
    return this.#gathered === undefined
      ? NO_BODY
      : { ...NO_BODY, body: this.#gathered, bodyBytes: this.#gatheredBytes };
  }

  get isReplayable(): boolean {
    return this.#streamed?.hasBegun !== true;
  }

  /** Whether some of a body that is sent as it comes has not come. */
  get isUnread(): boolean {
    return this.#streamed?.isOver === false;
  }

  /** Bytes that have come. */
  get bytes(): number {
    return this.#whole?.bytes ?? this.#streamed?.received ?? this.#gatheredBytes;
  }

  get #gatheredBytes(): number {
    return this.#gathered?.reduce((bytes, chunk) => bytes + chunk.length, 0) ?? 0;
  }

  /** There is an answer: nothing of it is of use any more, and what has not come is read past. */
  leave(): void {
    this.release();
    if (this.isUnread) this.#streamed?.stop();
  }

  release(): void {
    this.#whole?.release();
  }
}
