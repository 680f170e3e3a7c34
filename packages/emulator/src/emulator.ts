/**
 * A faithful Gemini on a local port: what tests, demo and bench start. Runs on the caller's thread.
 * Never speaks to the real API, never listens beyond loopback, and is never imported by the production package.
 */
import { CallRecorder } from "./call-log.ts";
import type { Call, CallListener, CallLog } from "./call-log.ts";
import { Exchanges } from "./exchange.ts";
import { FaultRules } from "./fault-rules.ts";
import { LiveService } from "./live/live-service.ts";
import type { LiveControl } from "./live/live-service.ts";
import type { FaultRule } from "./fault-rules.ts";
import { MinimalService } from "./minimal.ts";
import type { ModelSpec } from "./model-spec.ts";
import { modelCatalogue } from "./models.ts";
import { DEFAULT_PROJECTS } from "./project-spec.ts";
import type { KeyState, ProjectSpec, ProjectState } from "./project-spec.ts";
import { Projects } from "./projects.ts";
import { QuotaBuckets } from "./quota-buckets.ts";
import { Links } from "./resources/links.ts";
import type { HostOptions } from "./resources/links.ts";
import { Resources } from "./resources/resources.ts";
import type { ResourceOptions } from "./resources/resources.ts";
import { listen } from "./server.ts";
import type { HttpHandler, Listener, TlsOptions } from "./server.ts";
import { TimerWheel } from "./timer-wheel.ts";
import { waitUntilFound } from "./waiting.ts";
import type { World } from "./world.ts";

/** Google's documented bound on an inline request. */
export const REQUEST_BYTES_MAX = 100 * 1024 * 1024;

/** What a caller states when starting the emulator; the projects, models and faults may come from a script file. */
export interface EmulatorOptions extends HostOptions, ResourceOptions {
  /** 0 (default) lets the system choose. */
  readonly port?: number;
  /** Only loopback: the emulator must never be reachable by accident. */
  readonly host?: "127.0.0.1";
  /** Default: {@link DEFAULT_PROJECTS}. */
  readonly projects?: readonly ProjectSpec[];
  readonly models?: readonly ModelSpec[];
  /** Wall clock of the quota buckets and fault windows, milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Faults in force from the start. */
  readonly script?: readonly FaultRule[];
  /** Pre-built answers, no logging of bodies, no quota, no faults: for the bench. */
  readonly minimal?: boolean;
  readonly tls?: TlsOptions;
  /** Largest request body, bytes; above it a 400. Default {@link REQUEST_BYTES_MAX}. */
  readonly requestBytesMax?: number;
  /** Calls kept in {@link CallLog.recent}. Default 1,000. */
  readonly callsKept?: number;
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Origin of upload links: another port under another name. */
  readonly uploadOrigin: string;
  /** Origin of the links to which downloads redirect. */
  readonly downloadOrigin: string;
  readonly calls: CallLog;
  /** Name of the project that owns a resource, named as in requests (`files/abc`); undefined when nobody does. */
  ownerOf(name: string): string | undefined;
  /** The Live sessions that are open. */
  readonly live: LiveControl;
  /** Streaming answers that have begun and not ended. */
  readonly openStreams: number;
  /** Puts a fault in force; the returned function takes it back and releases the calls it holds. */
  fault(rule: FaultRule): () => void;
  /** Takes back every fault and releases every call held. */
  clearFaults(): void;
  /** Releases the calls held now; the rules stay in force. */
  release(): void;
  setProjectState(name: string, state: ProjectState): void;
  setKeyState(key: string, state: KeyState): void;
  /** Told of every change of every call: its phase, its status, an event written. Gives the way to stop. */
  onCall(listener: CallListener): () => void;
  /** Resolves with the first call, past ones included, that satisfies the predicate at some event. */
  waitForCall(predicate: (call: Call) => boolean, timeoutMs?: number): Promise<Call>;
  /** Resolves when the condition holds, asked now and at every event of a call. */
  waitUntil(condition: (emulator: Emulator) => boolean, timeoutMs?: number): Promise<void>;
  /** Breaks every connection and stops listening. */
  close(): Promise<void>;
}

/** Starts an emulator; resolves when its port is open. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const world = worldOf(options);
  for (const rule of options.script ?? []) world.faults.add(rule);
  const monotonicMs = (): number => performance.now();
  const wheel = new TimerWheel(monotonicMs);
  const tools = { wheel, monotonicMs };
  const exchanges = new Exchanges(world, tools);
  const serveFully: HttpHandler = (request, response) => void exchanges.serve(request, response, "api");
  const serveSide: HttpHandler = (request, response) => void exchanges.serve(request, response, "side");
  const minimal = options.minimal ? new MinimalService(world, tools, serveFully) : undefined;
  const host = options.host ?? "127.0.0.1";
  const tls = options.tls === undefined ? {} : { tls: options.tls };
  const live = new LiveService(world, tools);
  const handler = minimal?.handle ?? serveFully;
  const listener = await listen(handler, { host, port: options.port ?? 0, upgrade: live.handle, ...tls });
  const sideListener = await listen(serveSide, { host, port: 0, ...tls });
  world.links.open(options.tls === undefined ? "http" : "https", sideListener.port);
  return new RunningEmulator({ world, exchanges, live, minimal, listener, sideListener, wheel });
}

function worldOf(options: EmulatorOptions): World {
  const now = options.now ?? Date.now;
  return {
    projects: new Projects(options.projects ?? DEFAULT_PROJECTS),
    models: modelCatalogue(options.models ?? []),
    quotas: new QuotaBuckets(),
    faults: new FaultRules(),
    calls: new CallRecorder(options.callsKept),
    resources: new Resources(options),
    links: new Links(options),
    now,
    startedAtMs: now(),
    requestBytesMax: options.requestBytesMax ?? REQUEST_BYTES_MAX,
  };
}

interface Parts {
  readonly world: World;
  readonly exchanges: Exchanges;
  readonly live: LiveService;
  readonly minimal: MinimalService | undefined;
  readonly listener: Listener;
  readonly sideListener: Listener;
  readonly wheel: TimerWheel;
}

class RunningEmulator implements Emulator {
  readonly url: string;
  readonly port: number;
  readonly calls: CallLog;
  readonly live: LiveControl;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.url = parts.listener.url;
    this.port = parts.listener.port;
    this.calls = parts.world.calls;
    this.live = parts.live;
  }

  get uploadOrigin(): string {
    return this.#parts.world.links.uploadOrigin;
  }

  get downloadOrigin(): string {
    return this.#parts.world.links.downloadOrigin;
  }

  get openStreams(): number {
    return this.#parts.exchanges.openStreams + (this.#parts.minimal?.openStreams ?? 0);
  }

  fault(rule: FaultRule): () => void {
    const id = this.#parts.world.faults.add(rule);
    return () => {
      this.#parts.world.faults.remove(id);
      this.#parts.exchanges.release(id);
      this.#parts.live.release(id);
    };
  }

  ownerOf(name: string): string | undefined {
    const { resources, now } = this.#parts.world;
    return resources.ownerOf(name, now());
  }

  clearFaults(): void {
    this.#parts.world.faults.clear();
    this.release();
  }

  release(): void {
    this.#parts.exchanges.release();
    this.#parts.live.release();
  }

  setProjectState(name: string, state: ProjectState): void {
    this.#parts.world.projects.setProjectState(name, state);
  }

  setKeyState(key: string, state: KeyState): void {
    this.#parts.world.projects.setKeyState(key, state);
  }

  onCall(listener: CallListener): () => void {
    return this.#parts.world.calls.listen(listener);
  }

  waitForCall(predicate: (call: Call) => boolean, timeoutMs?: number): Promise<Call> {
    const look = (): Call | undefined => this.calls.recent().find(predicate);
    return waitUntilFound(
      (listener) => this.onCall(listener),
      look,
      `a call: ${predicate.toString()}`,
      timeoutMs,
    );
  }

  async waitUntil(condition: (emulator: Emulator) => boolean, timeoutMs?: number): Promise<void> {
    const look = (): true | undefined => (condition(this) ? true : undefined);
    await waitUntilFound((listener) => this.onCall(listener), look, condition.toString(), timeoutMs);
  }

  async close(): Promise<void> {
    this.#parts.wheel[Symbol.dispose]();
    await Promise.all([this.#parts.listener.close(), this.#parts.sideListener.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
