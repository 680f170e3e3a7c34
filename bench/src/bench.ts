/**
 * What every measurement gets, and the ground it is held on: an upstream, a load generator and the contenders that take
 * part. Runs in the bench's main process.
 */
import type { EmulatorOptions } from "gemini-emulator";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  complaintAbout,
  type Contender,
  MissingContender,
  type Surroundings,
} from "./contenders/contender.ts";
import { LoadGenerator } from "./load/load-generator.ts";
import type { Machine } from "./machine.ts";
import type { Pinning } from "./pinning.ts";
import type { Plan } from "./plan.ts";
import type { ChildProcesses } from "./processes/child-processes.ts";
import { Upstream } from "./upstream/upstream.ts";

export interface Bench {
  readonly plan: Plan;
  readonly machine: Machine;
  readonly children: ChildProcesses;
  /** A folder that is removed in the end. */
  readonly folder: string;
  /** The package of `@portkey-ai/gateway`. */
  readonly portkeyFolder: string;
  /** The program of another revision of the gateway, to be held against this one. */
  readonly against: { readonly revision: string; readonly program: string } | undefined;
  /** Contenders that are not installed, and why they take no part: found out once for all measurements. */
  readonly absent: Map<string, string>;
  /** Tells what is going on. */
  readonly say: (text: string) => void;
}

/** A contender that may take part. */
export interface Entrant {
  readonly name: string;
  readonly start: (around: Surroundings) => Promise<Contender>;
  /** Whether the measurement makes no sense without it: then its absence is an error. */
  readonly isRequired: boolean;
  /** What helps when it cannot take part. */
  readonly hint?: string;
}

export interface FieldOptions {
  readonly upstream: Pick<EmulatorOptions, "projects" | "models" | "minimal">;
  /** A path that every contender serves, asked once at its start. */
  readonly trialPath: string;
  readonly trialBody: string;
}

/** Upstream and load generator of one measurement; contenders are ended before it is closed. */
export class Field implements AsyncDisposable {
  readonly upstream: Upstream;
  readonly load: LoadGenerator;
  readonly #bench: Bench;
  readonly #options: FieldOptions;
  readonly #folder: string;

  private constructor(bench: Bench, options: FieldOptions, upstream: Upstream, load: LoadGenerator) {
    this.#bench = bench;
    this.#options = options;
    this.#folder = mkdtempSync(join(bench.folder, "field-"));
    this.upstream = upstream;
    this.load = load;
  }

  static async open(bench: Bench, pinning: Pinning, options: FieldOptions): Promise<Field> {
    const upstream = await Upstream.start(bench.children, pinning.others, options.upstream);
    const load = await LoadGenerator.start(bench.children, pinning.others);
    return new Field(bench, options, upstream, load);
  }

  /** Starts a contender and tries it; undefined, with a note, when one that is not required cannot take part. */
  async start(entrant: Entrant, cores: readonly number[] | undefined): Promise<Contender | undefined> {
    if (this.#bench.absent.has(entrant.name)) return undefined;
    try {
      return await this.#tried(await entrant.start(this.surroundings(cores)));
    } catch (error) {
      if (entrant.isRequired) throw error;
      this.#leaveOut(entrant, error);
      return undefined;
    }
  }

  /** Starts several; those that take part, in their order. */
  async startAll(entrants: readonly Entrant[], cores: readonly number[] | undefined): Promise<Contender[]> {
    const started: Contender[] = [];
    for (const entrant of entrants) {
      const contender = await this.start(entrant, cores);
      if (contender !== undefined) started.push(contender);
    }
    return started;
  }

  /** For a contender started by hand. */
  surroundings(cores: readonly number[] | undefined): Surroundings {
    return {
      children: this.#bench.children,
      upstream: this.upstream.url,
      folder: mkdtempSync(join(this.#folder, "contender-")),
      cores,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
    // Logs and databases of a whole run would fill the disk.
    removeFolder(this.#folder);
  }

  #leaveOut({ name, hint }: Entrant, error: unknown): void {
    const complaint = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    const reason = hint === undefined ? complaint : `${complaint} (${hint})`;
    this.#bench.absent.set(name, reason);
    this.#bench.say(`  ${name} takes no part: ${reason}`);
  }

  async #tried(contender: Contender): Promise<Contender> {
    const complaint = await complaintAbout(
      contender.target(this.#options.trialPath, this.#options.trialBody),
    );
    if (complaint === undefined) return contender;
    await contender[Symbol.asyncDispose]();
    throw new MissingContender(complaint);
  }
}

/** Ends contenders that were started together. */
export async function endAll(contenders: readonly Contender[]): Promise<void> {
  await Promise.all(contenders.map((contender) => contender[Symbol.asyncDispose]()));
}

/** Removes a folder of the bench, whatever is in it. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The contenders of one round, each time beginning with another, so that none always has the quiet start. */
export function turnOf<Item>(items: readonly Item[], round: number): Item[] {
  return items.map((_, index) => items[(index + round) % items.length] as Item);
}
