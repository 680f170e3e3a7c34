/**
 * Runs batches of tests over a few connections of its own, direct or through the operator's proxy. Prober threads.
 */
import type { Outcome } from "@gemini-gateway/core/outcome";
import { plainProbeRequest, probeRequest } from "@gemini-gateway/gemini/probe-request";
import type { ProbeRequest } from "@gemini-gateway/gemini/probe-request";
import { upstreamHeaders } from "@gemini-gateway/gemini/headers";
import { Pool } from "undici";
import { connectorOver } from "../egress/connector.ts";
import { dialFor } from "../egress/dial-for.ts";
import type { ProbeBatch, ProberStart, ProbeReport, ProbeResult, ProbeTest } from "../probe-protocol.ts";
import { steadyNow, type Now } from "../steady-clock.ts";
import { judgeFailure, judgeProbe } from "./judge-probe.ts";

/** Bytes of an answer that are read; the rest is not needed to judge it. */
const ANSWER_BYTES_MAX = 262_144;
/** Tests come rarely: a connection is kept for the next of its batch, not for the next batch. */
const UNUSED_CONNECTION_MS = 4_000;
const CONNECTIONS_MAX = 64;

export class Prober {
  readonly #pool: Pool;
  readonly #pathPrefix: string;
  readonly #now: Now;

  constructor({ upstream, proxy, connectMs, http2: wantsHttp2, clock }: ProberStart) {
    const url = new URL(upstream);
    const http2 = wantsHttp2 && url.protocol === "https:";
    const dial = dialFor(proxy === "" ? undefined : new URL(proxy), connectMs);
    this.#now = steadyNow(clock);
    this.#pathPrefix = url.pathname.replace(/\/+$/, "");
    this.#pool = new Pool(url.origin, {
      connect: connectorOver({ dial, connectMs, http2 }),
      allowH2: http2,
      connections: CONNECTIONS_MAX,
      keepAliveTimeout: UNUSED_CONNECTION_MS,
    });
  }

  async run({ tests, concurrency, timeoutMs }: ProbeBatch): Promise<ProbeReport> {
    const results: ProbeResult[] = [];
    const waiting = tests.entries();
    const lane = async (): Promise<void> => {
      for (const [index, test] of waiting) results[index] = await this.#test(test, timeoutMs);
    };
    await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, tests.length)) }, lane));
    return results;
  }

  async #test(test: ProbeTest, timeoutMs: number): Promise<ProbeResult> {
    const startedAtMs = performance.now();
    const signal = AbortSignal.timeout(timeoutMs);
    const request = probeRequest(test.ask, test.model);
    let outcome = await this.#ask(request, test.secret, signal);
    // Not every model takes the wish to think less; that says nothing about the key.
    if (request.isPicky && outcome.kind === "caller-fault") {
      outcome = await this.#ask(plainProbeRequest(test.ask, test.model), test.secret, signal);
    }
    return { outcome, durationMs: Math.round(performance.now() - startedAtMs) };
  }

  async #ask({ method, path, body }: ProbeRequest, secret: string, signal: AbortSignal): Promise<Outcome> {
    try {
      const headers = upstreamHeaders(body === undefined ? [] : ["content-type", "application/json"], secret);
      const answer = await this.#pool.request({
        method,
        path: this.#pathPrefix + path,
        headers,
        body: body ?? null,
        signal,
      });
      const text = await readText(answer.body);
      const contentType = String(answer.headers["content-type"] ?? "");
      return judgeProbe({ status: answer.statusCode, contentType, text }, secret, this.#now());
    } catch (error) {
      return judgeFailure(error, signal.aborted);
    }
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
