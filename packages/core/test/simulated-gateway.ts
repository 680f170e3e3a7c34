/**
 * A primary and its workers in one seeded simulation: the real scheduler and the real pockets, with messages that take
 * their time, workers that die and an upstream that answers by chance. It keeps its own count of every use, apart from
 * the scheduler's, and throws on the first thing that must never happen.
 */
import type { Denial, HolderId, KeyId, Lease, LeaseWish, Settlement } from "../src/lease.ts";
import { LeasePocket } from "../src/lease-pocket.ts";
import type { LeaseUse, Reports } from "../src/lease-pocket.ts";
import { servedSettlements } from "../src/served-uses.ts";
import { TokenGauge } from "../src/quota/token-gauge.ts";
import { effectOf } from "../src/outcome.ts";
import type { ProbeAsk } from "../src/probing/ask.ts";
import type { Revocation } from "../src/scheduler/revocation.ts";
import { Scheduler } from "../src/scheduler/scheduler.ts";
import { EventQueue, seededRandom } from "./event-queue.ts";
import type {
  Ends,
  Pin,
  SimulatedRequest,
  SimulatedWorker,
  UpstreamAnswer,
  World,
} from "./simulated-world.ts";
import { UseAudit } from "./use-audit.ts";

const START_MS = 1_700_000_000_000;
const TICK_MS = 250;
/** Holds the leases of health tests; workers are numbered from 1. */
const TESTER: HolderId = 0;
const ASKS: readonly ProbeAsk[] = ["list", "count", "generate"];

export class SimulatedGateway {
  readonly events = new EventQueue();
  readonly random: () => number;
  readonly scheduler: Scheduler;
  readonly audit: UseAudit;
  readonly ends: Ends = { served: 0, passedOn: 0, denied: 0, cutOff: 0 };
  readonly workers: SimulatedWorker[] = [];
  requests = 0;
  upstreamCalls = 0;
  messages = 0;
  /** Steps of the wall clock so far, milliseconds. */
  clockOffsetMs = 0;
  readonly #world: World;
  #nextHolder: HolderId = 1;
  #isTickPlanned = false;
  #running = 0;

  constructor(world: World) {
    this.#world = world;
    this.random = seededRandom(world.seed);
    this.scheduler = new Scheduler(world.options, this.random);
    this.scheduler.addKeys(world.keys);
    this.audit = new UseAudit(world.keys, world.options.projectConcurrencyMax);
    for (let index = 0; index < world.workers; index++) this.#startWorker(index);
  }

  /** Time as every thread sees it, milliseconds since the epoch. */
  get nowMs(): number {
    return START_MS + this.events.nowMs + this.clockOffsetMs;
  }

  /** A request arrives at a random worker; `pin` says what project it must or would rather have. */
  request(model: string, bytes = 0, pin: Pin = {}): void {
    this.requests++;
    const worker = this.#anyWorker();
    const request: SimulatedRequest = { model, bytes, pin, tried: [], attempts: 0, hasEnded: false };
    worker.requests.add(request);
    this.#begin(worker, request);
    this.#planTick();
  }

  /** A random worker dies with all it was doing; another takes its place, and the primary notices a little later. */
  killWorker(): void {
    const index = Math.floor(this.random() * this.workers.length);
    const worker = this.workers[index] as SimulatedWorker;
    worker.isAlive = false;
    for (const request of worker.requests) this.#end(worker, request, "cutOff");
    this.events.after(this.#delay(), () => {
      this.scheduler.releaseHolder(worker.holder, this.nowMs);
      this.audit.holderGone(worker.holder);
    });
    this.#startWorker(index);
  }

  /** A health test of one key, whatever its state. */
  testKey(id: KeyId, model: string): void {
    const lease = this.scheduler.tests.lease(TESTER, id, model, this.nowMs);
    if (lease === undefined) return;
    this.audit.lent(TESTER, [lease], { model, uses: 1 });
    this.audit.started(lease.id, this.nowMs);
    const ask = ASKS[Math.floor(this.random() * ASKS.length)] as ProbeAsk;
    const call = { nowMs: this.nowMs, bytes: 0 };
    const { outcome, tookMs } = this.#world.upstream(id, model, this.random, call);
    this.events.after(tookMs, () => {
      this.audit.stopped(lease.id);
      this.audit.settled(lease.id);
      this.#revoke(this.scheduler.tests.settle({ leaseId: lease.id, outcome, ask }, this.nowMs).revoked);
      this.scheduler.checkInvariants();
    });
  }

  retireKey(id: KeyId): void {
    this.#revoke(this.scheduler.retireKeys([id], this.nowMs).revoked);
  }

  /** Lets everything come to rest, gives back what the pockets hold, and checks that nothing is left over. */
  settleDown(eventsMax = 5_000_000): void {
    this.events.runAll(eventsMax);
    for (const worker of this.workers) {
      worker.pocket.drain(this.nowMs);
      this.#report(worker);
    }
    this.events.runAll(eventsMax);
    this.scheduler.checkInvariants();
    this.audit.checkAllEnded();
    const { served, passedOn, denied, cutOff } = this.ends;
    if (served + passedOn + denied + cutOff !== this.requests) throw new Error("a request has not ended");
    if (this.scheduler.inFlight !== 0) throw new Error(`${this.scheduler.inFlight} uses never ended`);
  }

  #startWorker(index: number): void {
    this.workers[index] = {
      holder: this.#nextHolder++,
      pocket: new LeasePocket(),
      gauge: new TokenGauge(),
      waiting: new Map(),
      requests: new Set(),
      isAlive: true,
      toPrimaryMs: 0,
      toWorkerMs: 0,
    };
  }

  #anyWorker(): SimulatedWorker {
    return this.workers[Math.floor(this.random() * this.workers.length)] as SimulatedWorker;
  }

  #delay(): number {
    return this.random() * this.#world.messageMs;
  }

  #begin(worker: SimulatedWorker, request: SimulatedRequest): void {
    if (isPinned(request)) return this.#wishAlone(worker, request, "denied");
    const use = worker.pocket.take(request.model, this.nowMs, guessOf(worker, request));
    if (use !== undefined) this.#attempt(worker, request, use);
    else this.#waitingFor(worker, request.model).push(request);
    this.#wish(worker, request.model);
  }

  #attempt(worker: SimulatedWorker, request: SimulatedRequest, use: LeaseUse): void {
    this.audit.started(use.leaseId, this.nowMs);
    this.upstreamCalls++;
    this.#running++;
    request.attempts++;
    request.tried.push(use.keyId);
    const startedAtMs = this.nowMs;
    const ended = ({ outcome, promptTokens }: UpstreamAnswer): void => {
      this.#running--;
      this.audit.stopped(use.leaseId);
      const tokens = promptTokens === undefined ? {} : { promptTokens };
      if (worker.isAlive)
        this.#settle(worker, request, { leaseId: use.leaseId, outcome, startedAtMs, ...tokens });
    };
    const arrived = (): void => {
      const call = { nowMs: this.nowMs, bytes: request.bytes };
      const answer = this.#world.upstream(use.keyId, request.model, this.random, call);
      this.events.after(answer.tookMs, () => ended(answer));
    };
    const { arrivalMs = 0 } = this.#world;
    if (arrivalMs > 0) this.events.after(this.random() * arrivalMs, arrived);
    else arrived();
  }

  #settle(worker: SimulatedWorker, request: SimulatedRequest, settlement: Settlement): void {
    const { outcome, promptTokens } = settlement;
    if (promptTokens !== undefined) worker.gauge.measured(request.model, request.bytes, promptTokens);
    worker.pocket.settle(settlement, this.nowMs);
    if (worker.pocket.areReportsDue(this.nowMs)) this.#report(worker);
    const { next } = effectOf(outcome.kind);
    if (next === "none") return this.#end(worker, request, outcome.kind === "served" ? "served" : "passedOn");
    if (request.attempts >= this.#world.attemptsMax) return this.#end(worker, request, "passedOn");
    this.#wishAlone(worker, request, "passedOn");
  }

  /** A wish for this one request, whose use does not go through the pocket. `without` is its end if nothing is lent. */
  #wishAlone(worker: SimulatedWorker, request: SimulatedRequest, without: keyof Ends): void {
    const tokens = guessOf(worker, request);
    const sized = tokens > 0 ? { tokens } : {};
    const excludedKeys = [...request.tried];
    const wish: LeaseWish = { model: request.model, uses: 1, excludedKeys, ...request.pin, ...sized };
    this.#toPrimary(worker, () => {
      const answer = this.#lend(worker, wish);
      this.#toWorker(worker, () => {
        const lease = answer.leases[0];
        const use = lease === undefined ? undefined : worker.pocket.startRetry(lease, this.nowMs);
        if (use === undefined) return this.#end(worker, request, without);
        this.#attempt(worker, request, use);
      });
    });
  }

  #wish(worker: SimulatedWorker, model: string): void {
    const waiting = this.#waitingFor(worker, model);
    const tokens = waiting.reduce((most, request) => Math.max(most, guessOf(worker, request)), 0);
    const wish = worker.pocket.wish(model, waiting.length, this.nowMs, tokens);
    if (wish === undefined) return this.#denyWaiting(worker, model);
    const reports = worker.pocket.takeReports();
    this.#toPrimary(worker, () => {
      this.#deliver(reports);
      const { leases, denial } = this.#lend(worker, wish);
      this.#toWorker(worker, () => {
        if (denial === undefined) worker.pocket.granted(wish, leases, this.nowMs);
        else worker.pocket.denied(wish, denial, this.nowMs);
        this.#serveWaiting(worker, model);
      });
    });
  }

  #lend(worker: SimulatedWorker, wish: LeaseWish): { leases: readonly Lease[]; denial?: Denial } {
    const answer = this.scheduler.lease(worker.holder, wish, this.nowMs);
    if ("denial" in answer) return { leases: [], denial: answer.denial };
    // A holder given up for dead is lent nothing: its channel is closed. It may be dead and not yet given up.
    this.audit.lent(worker.holder, answer.leases, wish);
    return answer;
  }

  #serveWaiting(worker: SimulatedWorker, model: string): void {
    const waiting = this.#waitingFor(worker, model);
    for (const request of waiting.splice(0)) {
      const use = worker.pocket.take(model, this.nowMs, guessOf(worker, request));
      if (use === undefined) waiting.push(request);
      else this.#attempt(worker, request, use);
    }
    this.#wish(worker, model);
  }

  #denyWaiting(worker: SimulatedWorker, model: string): void {
    const waiting = this.#waitingFor(worker, model);
    const asked = waiting.splice(0);
    for (const request of asked) {
      const tokens = worker.pocket.isSized(model) ? guessOf(worker, request) : Infinity;
      if (worker.pocket.denial(model, this.nowMs, tokens) === undefined) waiting.push(request);
      else this.#end(worker, request, "denied");
    }
    // The wish was for the largest: those it was not denied to ask again, as the lease desk does.
    if (waiting.length > 0 && waiting.length < asked.length) this.#wish(worker, model);
  }

  #report(worker: SimulatedWorker): void {
    const reports = worker.pocket.takeReports();
    if (reports !== undefined) this.#toPrimary(worker, () => this.#deliver(reports));
  }

  #deliver(reports: Reports | undefined): void {
    const { served = [], settlements = [] } = reports ?? {};
    for (const settlement of [...servedSettlements(served), ...settlements]) {
      this.audit.settled(settlement.leaseId);
      this.#revoke(this.scheduler.settle(settlement, this.nowMs).revoked);
    }
    for (const returned of reports?.returns ?? []) {
      this.audit.returned(returned.leaseId, returned.uses);
      this.scheduler.giveBack(returned, this.nowMs);
    }
  }

  #revoke(revoked: readonly Revocation[]): void {
    for (const { holder, leaseId } of revoked) {
      const worker = this.workers.find((each) => each.holder === holder);
      if (worker === undefined) continue;
      this.#toWorker(worker, () => {
        worker.pocket.revoke(leaseId, this.nowMs);
        if (worker.pocket.areReportsDue(this.nowMs)) this.#report(worker);
      });
    }
  }

  #toPrimary(worker: SimulatedWorker, run: () => void): void {
    this.messages++;
    worker.toPrimaryMs = Math.max(worker.toPrimaryMs, this.events.nowMs + this.#delay());
    this.events.at(worker.toPrimaryMs, () => {
      if (!worker.isAlive) return;
      run();
    });
  }

  #toWorker(worker: SimulatedWorker, run: () => void): void {
    this.messages++;
    worker.toWorkerMs = Math.max(worker.toWorkerMs, this.events.nowMs + this.#delay());
    this.events.at(worker.toWorkerMs, () => {
      if (worker.isAlive) run();
    });
  }

  #end(worker: SimulatedWorker, request: SimulatedRequest, how: keyof Ends): void {
    if (request.hasEnded) throw new Error(`a request that has ended cannot end as ${how}`);
    request.hasEnded = true;
    worker.requests.delete(request);
    this.ends[how]++;
  }

  #waitingFor(worker: SimulatedWorker, model: string): SimulatedRequest[] {
    let waiting = worker.waiting.get(model);
    if (waiting === undefined) {
      waiting = [];
      worker.waiting.set(model, waiting);
    }
    return waiting;
  }

  /** Ticks go on as long as a request is under way. */
  #planTick(): void {
    if (this.#isTickPlanned) return;
    this.#isTickPlanned = true;
    this.events.after(TICK_MS, () => {
      this.#isTickPlanned = false;
      this.scheduler.tick(this.nowMs);
      this.scheduler.checkInvariants();
      for (const worker of this.workers) {
        worker.pocket.tick(this.nowMs);
        if (worker.pocket.areReportsDue(this.nowMs)) this.#report(worker);
      }
      if (this.#running > 0 || this.workers.some(({ requests }) => requests.size > 0)) this.#planTick();
    });
  }
}

function isPinned({ pin }: SimulatedRequest): boolean {
  return pin.onlyProjectOf !== undefined || pin.preferProjectOf !== undefined;
}

/** Input tokens of the request as its worker guesses them; 0 when nobody counts them. */
function guessOf({ pocket, gauge }: SimulatedWorker, { model, bytes }: SimulatedRequest): number {
  return pocket.isSized(model) ? gauge.guess(model, bytes) : 0;
}
