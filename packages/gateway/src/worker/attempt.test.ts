import type { Outcome } from "@gemini-gateway/core/outcome";
import { routeRequest, type Route } from "@gemini-gateway/gemini/route";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt, type AttemptListener, type AttemptSubject } from "./attempt.ts";
import { Upstream } from "./upstream.ts";

const PATH = "/v1/models/m:generateContent";
const USE = { leaseId: 1, keyId: 1, secret: "test-key-1", fingerprint: "k-1", startedAtMs: 0 };

let server: Server;
let upstream: Upstream;
let answer = "";

beforeAll(async () => {
  server = createServer((_request, response) => response.end(answer)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  upstream = new Upstream({ upstream: url, proxy: undefined, connectMs: 5_000, http2: false });
});

afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
  server.close();
});

/** Writes down what it hears, and resolves with the first word that ends the attempt. */
class Listener implements AttemptListener, AttemptSubject {
  readonly route = routeRequest("POST", PATH) as Route;
  readonly refersTo = [];
  readonly isSigned = false;
  readonly requestTokensFloor = 0;
  readonly tokenQuotaRefusals = 0;
  readonly heard: string[] = [];
  readonly #end = Promise.withResolvers<void>();
  readonly #isFaulty: boolean;

  constructor(isFaulty: boolean) {
    this.#isFaulty = isFaulty;
  }

  get end(): Promise<void> {
    return this.#end.promise;
  }

  now = (): number => 0;
  begun = (): void => this.#hear("begun", false);
  more = (): boolean => true;
  whole = (): void => this.#hear("whole", true);
  ended = (): void => this.#hear("ended", true);
  failed = (_attempt: Attempt, { kind }: Outcome): void => this.#hear(`failed: ${kind}`, true);

  faulted = (): void => {
    this.heard.push("faulted");
    this.#end.resolve();
  };

  #hear(word: string, isEnd: boolean): void {
    this.heard.push(word);
    if (this.#isFaulty) throw new Error("a defect of ours");
    if (isEnd) this.#end.resolve();
  }
}

async function heardOf(rawHeaders: string[], isFaulty = false): Promise<readonly string[]> {
  const listener = new Listener(isFaulty);
  new Attempt(USE, listener, listener, 1024).begin(upstream, {
    path: PATH,
    method: "POST",
    rawHeaders,
    credential: USE.secret,
    body: [],
    bodyBytes: 0,
    firstByteMs: 10_000,
    idleMs: 10_000,
  });
  await listener.end;
  return listener.heard;
}

it("a request that no HTTP message can carry is its caller's fault, and no key's", async () => {
  expect(await heardOf(["x-odd", "\u0001"])).toEqual(["failed: caller-fault"]);
});

it.each([
  ["a good answer", '{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}', "whole"],
  ["an answer with nothing in it", "{}", "failed: empty"],
  ["an answer larger than what is held back", `{"x":"${"x".repeat(4096)}"}`, "begun"],
])("an exception of ours on %s is told once, so that the request can be ended", async (_name, body, word) => {
  answer = body;
  expect(await heardOf([], true)).toEqual([word, "faulted"]);
});
