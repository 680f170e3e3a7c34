/**
 * The projects, their keys and what Google thinks of each: looked up on every request, changed by tests while running.
 * Holds no quota counters and no clock.
 */
import { STATE_ERRORS } from "./key-errors.ts";
import type { ErrorName } from "./named-errors.ts";
import type { KeyState, ProjectSpec, ProjectState, QuotaSpec, Tier } from "./project-spec.ts";

/** One project as the emulator runs it. */
export interface Project {
  readonly name: string;
  readonly number: string;
  readonly tier: Tier;
  readonly closedModels: ReadonlySet<string>;
  readonly quotas: Readonly<Record<string, QuotaSpec>>;
  readonly liveSessionsMax: number;
}

const FIRST_PROJECT_NUMBER = 411_082_643_001;
const UNLIMITED: QuotaSpec = {};

export class Projects {
  readonly #byKey = new Map<string, Project>();
  readonly #byName = new Map<string, Project>();
  readonly #projectStates = new Map<string, ProjectState>();
  readonly #keyStates = new Map<string, KeyState>();

  /** Throws a RangeError when a name or key appears twice: a key belongs to one project. */
  constructor(specs: readonly ProjectSpec[]) {
    for (const [index, spec] of specs.entries()) this.#add(spec, index);
  }

  #add(spec: ProjectSpec, index: number): void {
    if (this.#byName.has(spec.name)) throw new RangeError(`two projects are named "${spec.name}"`);
    const project: Project = {
      name: spec.name,
      number: spec.number ?? String(FIRST_PROJECT_NUMBER + index),
      tier: spec.tier ?? "free",
      closedModels: new Set(spec.closedModels),
      quotas: spec.quotas ?? {},
      liveSessionsMax: spec.liveSessions ?? Infinity,
    };
    this.#byName.set(project.name, project);
    for (const key of spec.keys) {
      if (this.#byKey.has(key)) throw new RangeError(`a key of project "${spec.name}" appears twice`);
      this.#byKey.set(key, project);
    }
    if (spec.state !== undefined) this.#projectStates.set(spec.name, spec.state);
    for (const [key, state] of Object.entries(spec.keyStates ?? {})) this.#keyStates.set(key, state);
  }

  ofKey(key: string): Project | undefined {
    return this.#byKey.get(key);
  }

  ofName(name: string): Project | undefined {
    return this.#byName.get(name);
  }

  /** Throws a RangeError when there is no such project. */
  setProjectState(name: string, state: ProjectState): void {
    if (!this.#byName.has(name)) throw new RangeError(`no project is named "${name}"`);
    this.#projectStates.set(name, state);
  }

  /** Throws a RangeError when no project has the key. */
  setKeyState(key: string, state: KeyState): void {
    if (!this.#byKey.has(key)) throw new RangeError("no project has this key");
    this.#keyStates.set(key, state);
  }

  /** The error a key's or project's state answers with, if any; the key's own state comes first. */
  stateError(key: string, project: Project, isGeneration: boolean): ErrorName | undefined {
    for (const state of [this.#keyStates.get(key), this.#projectStates.get(project.name)]) {
      if (state === undefined || state === "ok") continue;
      const { error, generationOnly } = STATE_ERRORS[state];
      if (isGeneration || !generationOnly) return error;
    }
    return undefined;
  }
}

/** The limits of a resolved model in a project. */
export function limitsOf(project: Project, resolvedModel: string): QuotaSpec {
  return project.quotas[resolvedModel] ?? project.quotas["*"] ?? UNLIMITED;
}
