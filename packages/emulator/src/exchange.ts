/**
 * One request from its first byte to its last: read, decide, deliver, keep the log true. Runs on the emulator's thread.
 * Holds the deliveries that faults keep waiting, so that they can be released.
 */
import type { Call, CallHost } from "./call-log.ts";
import { decide } from "./decide.ts";
import { Delivery } from "./delivery.ts";
import type { DeliveryObserver, DeliveryTools, HttpRequest, HttpResponse } from "./delivery.ts";
import type { Reply } from "./reply.ts";
import { beginLeg, receiveLeg } from "./receive-leg.ts";
import type { UploadLeg } from "./upload-legs.ts";
import type { World } from "./world.ts";

const EMPTY = Buffer.alloc(0);

/** What is under way: answers not yet ended, and which of them a rule holds. */
export class Exchanges {
  readonly #world: World;
  readonly #tools: DeliveryTools;
  readonly #held = new Map<Delivery, number>();
  #openStreams = 0;

  constructor(world: World, tools: DeliveryTools) {
    this.#world = world;
    this.#tools = tools;
  }

  /** Streaming answers that have begun and not ended. */
  get openStreams(): number {
    return this.#openStreams;
  }

  /** Lets go on what a rule holds, or everything held. */
  release(ruleId?: number): void {
    for (const [delivery, heldBy] of this.#held) {
      if (ruleId === undefined || heldBy === ruleId) delivery.release();
    }
  }

  /** Serves one request; rejects only on a defect of the emulator itself, which must be loud. */
  async serve(request: HttpRequest, response: HttpResponse, host: CallHost): Promise<void> {
    const { calls, now } = this.#world;
    const url = request.url ?? "/";
    const { method = "GET", rawHeaders: headers } = request;
    const call = calls.open({ method, path: url, headers, host, startedAtMs: now() });
    calls.moveTo(call, "reading");
    const [path = "/", search = ""] = splitOnce(url, "?");
    const query = new URLSearchParams(search);
    const header = (name: string): string | undefined => headerOf(request, name);
    const leg = beginLeg(this.#world, { method, path, query, header });
    const body = await this.#read(request, call, leg);
    if (body === "aborted") return this.#finish(call, true);
    const { reply, ...found } = decide(this.#world, { host, method, path, query, header, body, leg });
    Object.assign(call, found);
    calls.count(call);
    calls.moveTo(call, "answering");
    const elapsedMs = Math.max(0, Math.round(now() - call.startedAtMs));
    const timed = { ...reply, headers: { ...reply.headers, "server-timing": `gfet4t7; dur=${elapsedMs}` } };
    new Delivery(timed, response, this.#observer(call, reply), this.#tools).wake();
  }

  /** The body, or nothing of it when it went into an upload. */
  async #read(
    request: HttpRequest,
    call: Call,
    leg: UploadLeg | undefined,
  ): Promise<Buffer | "too-large" | "aborted"> {
    const { calls, requestBytesMax } = this.#world;
    if (leg === undefined) {
      const body = await readBody(request, requestBytesMax);
      if (typeof body !== "string") calls.keepBody(call, body);
      return body;
    }
    const received = await receiveLeg(request, leg);
    calls.keepBody(call, received.head, received.bytes);
    if (received.isComplete) return EMPTY;
    Object.assign(call, { operation: "upload.leg", project: leg.session?.owner ?? "" });
    return "aborted";
  }

  #observer(call: Call, reply: Reply): DeliveryObserver {
    const isStream = reply.contentLength === undefined;
    const { calls } = this.#world;
    return {
      headersSent: (status) => {
        call.status = status;
        if (isStream) this.#openStreams += 1;
        calls.changed(call);
      },
      frameWritten: () => {
        call.events += 1;
        calls.changed(call);
      },
      held: (delivery, ruleId) => {
        this.#held.set(delivery, ruleId);
        calls.moveTo(call, "held");
      },
      resumed: (delivery) => {
        this.#held.delete(delivery);
        calls.moveTo(call, "answering");
      },
      ended: (delivery, complete) => {
        this.#held.delete(delivery);
        if (isStream && call.status !== 0) this.#openStreams -= 1;
        this.#finish(call, !complete);
      },
    };
  }

  #finish(call: Call, aborted: boolean): void {
    call.aborted = aborted;
    call.endedAtMs = this.#world.now();
    this.#world.calls.moveTo(call, "done");
  }
}

/** The whole body, or why there is none. A body over the bound is read to its end and thrown away, so that the client hears the answer. */
function readBody(request: HttpRequest, bytesMax: number): Promise<Buffer | "too-large" | "aborted"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on("end", () => resolve(bytes > bytesMax ? "too-large" : Buffer.concat(chunks)));
    request.on("close", () => resolve("aborted"));
    request.on("error", () => resolve("aborted"));
  });
}

function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
