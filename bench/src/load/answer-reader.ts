/**
 * Reads the answers on one HTTP/1.1 connection just far enough to time and count them: where the head ends, how many
 * events came, where the body ends. Cheap, because thousands run in one process beside the contender; fit only for the
 * answers of the emulator, whose texts never hold what it searches for. Pure.
 */

const HEAD_END = "\r\n\r\n";
const CHUNKS_END = "0\r\n\r\n";
const EVENT = "data: ";
/** Longest head of an answer, bytes. */
const HEAD_BYTES_MAX = 64 * 1024;

/** Where an answer stands. `broken`: what came is no answer. */
export type AnswerState = "head" | "body" | "complete" | "broken";

export class AnswerReader {
  #state: AnswerState = "head";
  /** The head until it is whole; then the last bytes of the body, in which a searched word may have begun. */
  #rest = "";
  #status = 0;
  #events = 0;
  /** Bytes of the body still to come; undefined when it ends by a last chunk. */
  #missingBytes: number | undefined;

  get state(): AnswerState {
    return this.#state;
  }

  /** 0 until the head is read. */
  get status(): number {
    return this.#status;
  }

  /** Server-sent events begun. */
  get events(): number {
    return this.#events;
  }

  /** Forgets the answer, for the next one on the same connection. */
  reset(): void {
    this.#state = "head";
    this.#rest = "";
    this.#status = 0;
    this.#events = 0;
    this.#missingBytes = undefined;
  }

  /** Takes what has come, a character for each byte (latin1). */
  take(text: string): void {
    if (this.#state === "body") this.#takeBody(text);
    else if (this.#state === "head") this.#takeHead(text);
  }

  #takeHead(text: string): void {
    this.#rest += text;
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#rest.length > HEAD_BYTES_MAX) this.#state = "broken";
      return;
    }
    const head = this.#rest.slice(0, end).toLowerCase();
    const body = this.#rest.slice(end + HEAD_END.length);
    const status = /^http\/1\.1 (\d{3})/.exec(head)?.[1];
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (status === undefined || (length === undefined && !/\r\ntransfer-encoding: *chunked/.test(head))) {
      this.#state = "broken";
      return;
    }
    this.#status = Number(status);
    this.#missingBytes = length === undefined ? undefined : Number(length);
    this.#rest = "";
    this.#state = this.#missingBytes === 0 ? "complete" : "body";
    if (body !== "") this.#takeBody(body);
  }

  #takeBody(text: string): void {
    if (this.#missingBytes !== undefined) {
      this.#missingBytes -= text.length;
      if (this.#missingBytes <= 0) this.#state = "complete";
      return;
    }
    const searched = this.#rest + text;
    for (let at = searched.indexOf(EVENT); at >= 0; at = searched.indexOf(EVENT, at + EVENT.length)) {
      this.#events += 1;
    }
    // One byte less than the longer of the two words: no word is seen twice.
    this.#rest = searched.slice(-(EVENT.length - 1));
    if (searched.endsWith(CHUNKS_END)) this.#state = "complete";
  }
}
