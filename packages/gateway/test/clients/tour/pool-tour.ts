/**
 * One client's tour through a gateway: makes of everything until the projects to be watched own some, goes round, and
 * sees at each stay what it has to see, whoever is out of service meanwhile.
 */
import { expect } from "vitest";
import type { Stay, Stop, World } from "./stop.ts";

/** A stay, and the kind it is of. */
interface Visited {
  readonly stop: string;
  readonly stay: Stay;
}

/** Most of one kind that are made until the projects to be watched own one. */
const MADE_MAX = 30;

export class PoolTour {
  readonly #stops: readonly Stop[];
  readonly #visited: Visited[] = [];
  #mayMove = false;

  constructor(stopsFor: (world: World) => readonly Stop[], world: World) {
    this.#stops = stopsFor(world);
  }

  /** Makes of each kind until every one of these projects owns some. */
  async makeFor(projects: readonly string[]): Promise<void> {
    for (const stop of this.#stops) {
      const missing = new Set(projects);
      for (let made = 0; missing.size > 0; made += 1) {
        if (made === MADE_MAX) throw new Error(`${stop.name}: none for ${[...missing].join()} of ${made}`);
        missing.delete((await this.#make(stop)).owner);
      }
    }
  }

  /** One more of each kind, wherever it comes to. */
  async makeAnywhere(): Promise<void> {
    for (const stop of this.#stops) await this.#make(stop);
  }

  /** One more of each kind, which has to come to another project than this. */
  async makeElsewhere(project: string): Promise<void> {
    for (const stop of this.#stops) {
      expectElsewhere(project, (await this.#make(stop)).owner);
    }
  }

  /** What only prefers its project may be served by any in the next round: the gateway forgot it with its memory. */
  restarted(): void {
    this.#mayMove = true;
  }

  /** Every stay is used, and found in its list; those of a project that is out of service tell so. */
  async goRound(out?: string): Promise<void> {
    for (const visited of this.#visited) {
      const { stay } = visited;
      const isOut = stay.owner === out;
      await told(visited, "visited", () => this.#visit(stay, isOut));
      if (!isOut) await told(visited, "found", async () => stay.find?.());
    }
    this.#mayMove = false;
  }

  async #visit(stay: Stay, isOut: boolean): Promise<void> {
    if (stay.isMovable !== true) {
      await (isOut ? visitInVain(stay) : stay.visit());
      return;
    }
    const { owner } = stay;
    await stay.visit();
    if (isOut) expectElsewhere(owner, stay.owner);
    else if (!this.#mayMove) expectThere(owner, stay.owner);
  }

  /** Everything is taken away again, by who made it. */
  async leave(): Promise<void> {
    for (const visited of this.#visited.splice(0)) await told(visited, "left", () => visited.stay.leave());
  }

  async #make(stop: Stop): Promise<Stay> {
    const stay = await stop.make().catch((error: unknown) => {
      throw new Error(`${stop.name}, made: ${String(error)}`, { cause: error });
    });
    this.#visited.push({ stop: stop.name, stay });
    return stay;
  }
}

function expectThere(owner: string, project: string): void {
  expect(project).toBe(owner);
}

function expectElsewhere(owner: string, project: string): void {
  expect(project).not.toBe(owner);
}

/** The error says what cannot be had, that its project is why, and when to come back. */
async function visitInVain(stay: Stay): Promise<void> {
  const error: unknown = await stay.visit().then(
    () => "it was served",
    (reason: unknown) => reason,
  );
  expect(String(error)).toMatch(/Google project .* (?:It may work|Retry) in \d+ ?s/s);
  expect(String(error)).toContain(stay.name);
}

async function told({ stop, stay }: Visited, what: string, act: () => Promise<void>): Promise<void> {
  await act().catch((error: unknown) => {
    const { name, owner } = stay;
    throw new Error(`${stop}, ${what}: ${name} of ${owner}: ${String(error)}`, { cause: error });
  });
}
