/**
 * The emulator of the bench: answers of generateContent and streamGenerateContent built once, bodies read but not
 * looked at, no quota, no faults, nothing kept of a call but its count. Runs on the emulator's thread. Whatever else is
 * asked, and every credential it does not know, goes to the full service.
 */
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { answerTo } from "./answer.ts";
import { Delivery } from "./delivery.ts";
import type { DeliveryObserver, DeliveryTools, HttpRequest, HttpResponse } from "./delivery.ts";
import { arrayReply, sseReply } from "./framing.ts";
import type { Model } from "./models.ts";
import { nativeWhole } from "./native-answer.ts";
import { routeOf } from "./operations.ts";
import { nativePrompt } from "./prompt.ts";
import { jsonReply } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { HttpHandler } from "./server.ts";
import type { World } from "./world.ts";

/** URLs whose answers are kept ready. */
const PREPARED_URLS_MAX = 1000;

interface Prepared {
  readonly model: string;
  readonly reply: Reply;
  /** Set for a unary answer, which needs no delivery. */
  readonly whole: { readonly headers: OutgoingHttpHeaders; readonly body: Buffer } | undefined;
}

export class MinimalService {
  readonly #world: World;
  readonly #tools: DeliveryTools;
  readonly #serveFully: HttpHandler;
  readonly #prepared = new Map<string, Prepared>();
  readonly #observer: DeliveryObserver;
  #openStreams = 0;

  constructor(world: World, tools: DeliveryTools, serveFully: HttpHandler) {
    this.#world = world;
    this.#tools = tools;
    this.#serveFully = serveFully;
    // One for all deliveries: there is nothing to remember of each.
    this.#observer = {
      headersSent: () => {
        this.#openStreams += 1;
      },
      frameWritten: () => {},
      held: () => {},
      resumed: () => {},
      ended: () => {
        this.#openStreams -= 1;
      },
    };
  }

  get openStreams(): number {
    return this.#openStreams;
  }

  /** Bound, so that it can be the server's handler itself. */
  readonly handle: HttpHandler = (request, response) => {
    const key = request.headers["x-goog-api-key"];
    const project = typeof key === "string" ? this.#world.projects.ofKey(key) : undefined;
    const prepared = project === undefined ? undefined : this.#preparedFor(request);
    if (project === undefined || prepared === undefined) return this.#serveFully(request, response);
    this.#world.calls.countUnkept(String(key), project.name, prepared.model);
    request.resume();
    request.once("end", () => this.#answer(prepared, response));
  };

  #answer({ reply, whole }: Prepared, response: HttpResponse): void {
    if (whole === undefined) {
      new Delivery(reply, response, this.#observer, this.#tools).wake();
      return;
    }
    const plain = response as ServerResponse;
    plain.writeHead(reply.status, whole.headers);
    plain.end(whole.body);
  }

  #preparedFor(request: HttpRequest): Prepared | undefined {
    const url = request.url ?? "";
    const known = this.#prepared.get(url);
    if (known !== undefined) return known;
    const prepared = prepare(this.#world.models, request.method ?? "", url);
    if (prepared !== undefined && this.#prepared.size < PREPARED_URLS_MAX) this.#prepared.set(url, prepared);
    return prepared;
  }
}

function prepare(models: ReadonlyMap<string, Model>, method: string, url: string): Prepared | undefined {
  const { pathname, searchParams } = new URL(url, "http://emulator");
  const route = routeOf(method, pathname);
  const model = models.get(route?.model ?? "");
  if (route === undefined || model === undefined || searchParams.has("key")) return undefined;
  const prompt = nativePrompt({ contents: [{ parts: [{ text: "hi" }] }] });
  const answer = answerTo({ prompt, projectName: "any", model, responseId: "emulated", fault: undefined });
  if (route.operation === "generateContent") {
    const reply = jsonReply(nativeWhole(answer));
    const body = reply.frame(0);
    const headers = { ...reply.headers, "content-length": body.length } as OutgoingHttpHeaders;
    return { model: model.name, reply, whole: { headers, body } };
  }
  if (route.operation !== "streamGenerateContent") return undefined;
  const stream = searchParams.get("alt") === "sse" ? sseReply(answer) : arrayReply(answer);
  return { model: model.name, reply: withFramesBuilt(stream), whole: undefined };
}

/** Builds every frame now, and joins them when nothing is to pass between. */
function withFramesBuilt(reply: Reply): Reply {
  const frames = Array.from({ length: reply.frameCount }, (_, index) => reply.frame(index));
  if (reply.intervalMs === 0) {
    const joined = Buffer.concat(frames);
    return { ...reply, frameCount: 1, eventCount: 1, frame: () => joined };
  }
  return { ...reply, frame: (index) => frames[index] ?? Buffer.alloc(0) };
}
