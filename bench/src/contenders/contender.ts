/**
 * What is measured: something that listens on loopback and passes requests on to the upstream. Each kind is a file of
 * its own beside this one. Runs in the bench's main process.
 */
import { request } from "node:http";
import type { Target } from "../load/protocol.ts";
import type { ChildProcesses } from "../processes/child-processes.ts";

/** A contender that runs. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Undefined for the upstream itself, whose time is charged to nobody. */
  readonly pid: number | undefined;
  /** Where a request for a path of the Gemini API goes. */
  target(path: string, body: string): Target;
}

/** What every kind needs to start. */
export interface Surroundings {
  readonly children: ChildProcesses;
  /** Of the upstream, `http://127.0.0.1:PORT`. */
  readonly upstream: string;
  /** A new, empty folder for it alone. */
  readonly folder: string;
  readonly cores: readonly number[] | undefined;
}

/** Why a contender takes no part: it is not installed, or does not do the work. */
export class MissingContender extends Error {}

/** Longest time until a contender listens. */
export const START_MS = 30_000;

const JSON_HEADERS = { "content-type": "application/json" };

/** A target as most contenders have it: the path unchanged, the upstream's key as the credential. */
export function plainTarget(origin: string, credential: string, path: string, body: string): Target {
  return { origin, path, headers: { ...JSON_HEADERS, "x-goog-api-key": credential }, body };
}

/** Sends one request and says what is wrong with the answer; undefined when it is served. */
export function complaintAbout(target: Target): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const headers = { ...target.headers, "content-length": Buffer.byteLength(target.body) };
  const sent = request(`${target.origin}${target.path}`, { method: "POST", headers }, (response) => {
    response.resume();
    response.on("close", () => {
      const isServed = response.statusCode === 200 && response.complete;
      resolve(isServed ? undefined : `it answers ${response.statusCode ?? "nothing"}`);
    });
  });
  sent.on("error", (error) => resolve(error.message));
  sent.end(target.body);
  return promise;
}
