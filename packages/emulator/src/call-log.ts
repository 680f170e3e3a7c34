/**
 * What the emulator was asked: counters, the latest calls, and a way to wait for what happens. Runs on the emulator's
 * thread. Bounded in every direction; a test waits here for events, never for time.
 */

import type { Touch } from "./resources/touches.ts";

/** Where a call stands. `held`: a fault keeps it until it is released or the client leaves. */
export type CallPhase = "reading" | "answering" | "held" | "done";

/** One request. The fields are current: an unfinished call changes under the reader's eyes. */
export interface Call {
  readonly id: number;
  /** The credential as sent; empty when there was none or it was refused. */
  key: string;
  /** Name of the project that served it: the key's, or the owner of the upload; empty when the key is unknown. */
  project: string;
  /** The port it came to: the API's, or the one of uploads and downloads. */
  readonly host: CallHost;
  /** The resources it named, made or was refused, with their owners. */
  resources: readonly Touch[];
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  /** Empty when the path is of no known operation. */
  operation: string;
  /** As asked for; empty when the operation has none. */
  model: string;
  /** Names and values by turns, as they came. */
  readonly headers: readonly string[];
  bodyBytes: number;
  /** The first {@link CALL_BODY_BYTES_MAX}; emptied when the log holds too much. */
  body: Buffer;
  phase: CallPhase;
  /** 0 until the headers of the answer are sent. */
  status: number;
  /** Frames of the answer written so far; of a Live session the messages sent. */
  events: number;
  /** Of a Live session: with which code it ended; 0 for every other call and until then. */
  closeCode: number;
  /** True when the client left, or a fault broke the connection, before the answer's end. */
  aborted: boolean;
  /** Kinds of the faults that acted. */
  faults: readonly string[];
  /** The emulator's clock, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** 0 until done. */
  endedAtMs: number;
}

export type CallHost = "api" | "side";

export type CallListener = (call: Call) => void;

/** Largest part of a body that is kept, bytes. */
export const CALL_BODY_BYTES_MAX = 1024 * 1024;
/** Bodies kept over all calls, bytes. */
export const LOGGED_BYTES_MAX = 64 * 1024 * 1024;
/** Distinct names counted per counter; what comes after is counted in `total` only. */
export const COUNTED_NAMES_MAX = 200_000;
export const CALLS_KEPT_DEFAULT = 1000;
export const WAIT_MS_DEFAULT = 10_000;

const EMPTY = Buffer.alloc(0);

/** Read access to the log, as tests get it. */
export interface CallLog {
  /** Calls since the start or the last `reset`, also those that are no longer kept. */
  readonly total: number;
  byKey(key: string): number;
  byProject(name: string): number;
  byModel(model: string): number;
  /** Calls refused because they named what another project owns. What nobody owns does not count. */
  readonly foreignHits: number;
  /** Calls served though they brought something another project gave out, such as a thought signature. */
  readonly foreignTokens: number;
  /** The calls kept, oldest first. */
  recent(): readonly Call[];
  /** Forgets calls and counters. */
  reset(): void;
}

export class CallRecorder implements CallLog {
  readonly #callsKept: number;
  readonly #byKey = new Map<string, number>();
  readonly #byProject = new Map<string, number>();
  readonly #byModel = new Map<string, number>();
  readonly #listeners = new Set<CallListener>();
  #calls: Call[] = [];
  #total = 0;
  #loggedBytes = 0;
  #nextId = 1;
  #foreignHits = 0;
  #foreignTokens = 0;

  constructor(callsKept: number = CALLS_KEPT_DEFAULT) {
    this.#callsKept = callsKept;
  }

  get total(): number {
    return this.#total;
  }

  byKey(key: string): number {
    return this.#byKey.get(key) ?? 0;
  }

  byProject(name: string): number {
    return this.#byProject.get(name) ?? 0;
  }

  byModel(model: string): number {
    return this.#byModel.get(model) ?? 0;
  }

  get foreignHits(): number {
    return this.#foreignHits;
  }

  get foreignTokens(): number {
    return this.#foreignTokens;
  }

  recent(): readonly Call[] {
    return this.#calls.slice(-this.#callsKept);
  }

  reset(): void {
    this.#calls = [];
    this.#total = 0;
    this.#loggedBytes = 0;
    this.#foreignHits = 0;
    this.#foreignTokens = 0;
    for (const counter of [this.#byKey, this.#byProject, this.#byModel]) counter.clear();
  }

  /** Listens to every change of every call; gives the way to stop. */
  listen(listener: CallListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A request has come; its body is still to be read. */
  open(head: Pick<Call, "method" | "path" | "headers" | "host" | "startedAtMs">): Call {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#total += 1;
    const call: Call = {
      ...head,
      id,
      key: "",
      project: "",
      resources: [],
      operation: "",
      model: "",
      bodyBytes: 0,
      body: EMPTY,
      phase: "reading",
      status: 0,
      events: 0,
      closeCode: 0,
      aborted: false,
      faults: [],
      endedAtMs: 0,
    };
    this.#calls.push(call);
    // Shifting one by one would cost the whole list each time; twice the bound, then a cut, is cheap on average.
    if (this.#calls.length > this.#callsKept * 2) this.#forget(this.#calls.length - this.#callsKept);
    return call;
  }

  /** Keeps the head of a body and lets go of the oldest ones when there are too many bytes. */
  keepBody(call: Call, body: Buffer, bodyBytes: number = body.length): void {
    call.bodyBytes = bodyBytes;
    // A copy, so that the log does not keep a body of 100 MB alive for its first MiB.
    call.body = body.length > CALL_BODY_BYTES_MAX ? Buffer.from(body.subarray(0, CALL_BODY_BYTES_MAX)) : body;
    this.#loggedBytes += call.body.length;
    for (const oldest of this.#calls) {
      if (this.#loggedBytes <= LOGGED_BYTES_MAX) break;
      this.#loggedBytes -= oldest.body.length;
      oldest.body = EMPTY;
    }
  }

  /** Counts a call for its key, project and model, once these are known. */
  count(call: Call): void {
    increment(this.#byKey, call.key);
    increment(this.#byProject, call.project);
    increment(this.#byModel, call.model);
    const { project, resources } = call;
    const isOthers = ({ owner }: Touch): boolean => owner !== "" && owner !== project;
    const met = (access: Touch["access"]): boolean =>
      resources.some((touch) => touch.access === access && isOthers(touch));
    if (met("refused")) this.#foreignHits += 1;
    if (met("foreign")) this.#foreignTokens += 1;
  }

  /** Counts a call of which nothing is kept. */
  countUnkept(key: string, project: string, model: string): void {
    this.#total += 1;
    increment(this.#byKey, key);
    increment(this.#byProject, project);
    increment(this.#byModel, model);
  }

  /** Moves a call to another phase and tells the listeners. */
  moveTo(call: Call, phase: CallPhase): void {
    call.phase = phase;
    this.changed(call);
  }

  /** Tells the listeners that something of a call is new. */
  changed(call: Call): void {
    for (const listener of this.#listeners) listener(call);
  }

  #forget(count: number): void {
    for (const call of this.#calls.splice(0, count)) this.#loggedBytes -= call.body.length;
  }
}

function increment(counter: Map<string, number>, name: string): void {
  if (name === "") return;
  const count = counter.get(name);
  if (count !== undefined) counter.set(name, count + 1);
  else if (counter.size < COUNTED_NAMES_MAX) counter.set(name, 1);
}
