/**
 * The way of an answer to its client, which waits while something that it tells of is not known to every worker: the
 * client's next request may come to any of them. Worker threads; one for each request. What waits is what the upstream
 * sends until it is paused; nothing is held for longer than the resource desk waits.
 */
import type { RequestAffinity } from "./affinity/request-affinity.ts";
import type { Attempt } from "./attempt.ts";
import type { ClientReply } from "./client-reply.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import type { RowOutcome } from "./request-record.ts";

/** What the client is still to have: words at the end of what it has got, or all of an answer; undefined to be cut off. */
export type LastPart = string | KeptAnswer | undefined;

/** Where answers go: the client's reply, or what changes them on their way to it. */
export type AnswerWay = Pick<ClientReply, "begin" | "write" | "flushHead" | "end" | "whole" | "cut">;

/** Hears that the client has been given all of it. */
export interface GateOwner {
  said(logged: RowOutcome, status: number): void;
}

interface Ending {
  readonly last: LastPart;
  readonly logged: RowOutcome;
  readonly status: number;
}

interface Waiting {
  /** Whose head has not been written. */
  head: { readonly attempt: Attempt; readonly rawHeaders: readonly string[] } | undefined;
  /** Copies. */
  readonly chunks: Buffer[];
  /** To be let go on. */
  attempt: Attempt | undefined;
  ending: Ending | undefined;
}

export class AnswerGate {
  readonly #reply: AnswerWay;
  readonly #affinity: RequestAffinity;
  readonly #owner: GateOwner;
  #waiting: Waiting | undefined;
  #hasBegun = false;

  constructor(reply: AnswerWay, affinity: RequestAffinity, owner: GateOwner) {
    this.#reply = reply;
    this.#affinity = affinity;
    this.#owner = owner;
  }

  /** Whether an answer has come, on its way to the client or waiting here. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The answer begins, with these chunks or none, in memory that may be used again afterwards. */
  begin(attempt: Attempt, rawHeaders: readonly string[], held: readonly Buffer[]): void {
    this.#hasBegun = true;
    for (const chunk of held) this.#affinity.heard(attempt.use, chunk);
    if (this.#affinity.isKept) {
      this.#begin(attempt, rawHeaders);
      for (const chunk of held) if (!this.#reply.write(chunk)) attempt.pause();
      if (held.length === 0) this.#reply.flushHead();
      return;
    }
    const waiting = this.#wait();
    waiting.head = { attempt, rawHeaders };
    waiting.attempt = attempt;
    for (const chunk of held) waiting.chunks.push(Buffer.from(chunk));
    attempt.pause();
  }

  /** More of it, in memory that is used again afterwards; false when the attempt is to be paused. */
  write(attempt: Attempt, chunk: Buffer): boolean {
    this.#affinity.heard(attempt.use, chunk);
    if (this.#waiting === undefined && this.#affinity.isKept) return this.#reply.write(chunk);
    const waiting = this.#wait();
    waiting.attempt = attempt;
    waiting.chunks.push(Buffer.from(chunk));
    return false;
  }

  /** The client takes more; what waits here holds the attempt back for longer. */
  get isOpen(): boolean {
    return this.#waiting === undefined;
  }

  /** The end of it; the attempt is over. */
  end(last: LastPart, logged: RowOutcome, status: number): void {
    if (this.#waiting === undefined && this.#affinity.isKept) {
      this.#say(last);
      this.#owner.said(logged, status);
      return;
    }
    const waiting = this.#wait();
    waiting.attempt = undefined;
    waiting.ending = { last, logged, status };
  }

  /** The request has ended otherwise. */
  drop(): void {
    this.#waiting = undefined;
  }

  #begin({ status, dialect }: Attempt, rawHeaders: readonly string[]): void {
    this.#reply.begin(status, rawHeaders, dialect !== undefined);
  }

  #say(last: LastPart): void {
    if (last === undefined) this.#reply.cut();
    else if (typeof last === "string") this.#reply.end(last);
    else this.#reply.whole(last);
  }

  #wait(): Waiting {
    if (this.#waiting === undefined) {
      this.#waiting = { head: undefined, chunks: [], attempt: undefined, ending: undefined };
      this.#affinity.whenKept(() => this.#goOn());
    }
    return this.#waiting;
  }

  #goOn(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    const { head, chunks, attempt, ending } = waiting;
    if (head !== undefined) this.#begin(head.attempt, head.rawHeaders);
    let isTaken = true;
    for (const chunk of chunks) isTaken = this.#reply.write(chunk) && isTaken;
    if (head !== undefined && chunks.length === 0) this.#reply.flushHead();
    if (isTaken) attempt?.resume();
    if (ending === undefined) return;
    this.#say(ending.last);
    this.#owner.said(ending.logged, ending.status);
  }
}
