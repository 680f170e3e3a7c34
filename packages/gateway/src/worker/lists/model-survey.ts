/**
 * Asks projects for the models that they list, several at a time, and puts the lists together. Worker threads; one for
 * each time that a list is made anew, whoever waits for it. Ends once, with `surveyed`, unless it was abandoned.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Fields } from "@gemini-gateway/gemini/json-fields";
import {
  type ModelListForm,
  modelsIn,
  type ProjectModels,
  unionOfModels,
} from "@gemini-gateway/gemini/model-list";
import type { Route } from "@gemini-gateway/gemini/route";
import type { ListedProject, ProjectsTold } from "../../affinity/project-messages.ts";
import { unpacked, type KeptAnswer } from "../kept-answer.ts";
import type { AttemptNote } from "../request-record.ts";
import type { FetchService } from "./fetch-service.ts";
import { type Miss, type NamedMiss, noList } from "./misses.ts";
import { ProjectFetch, type FetchListener } from "./project-fetch.ts";

/** Projects asked at a time. */
const AT_ONCE = 8;
/** A project that cannot be asked now is left out sooner than for another list: the others list nearly the same. */
const LEASE_WAIT_MS = 1_000;

/** What is asked, and in whose words. */
export interface SurveyOptions {
  readonly service: FetchService;
  readonly route: Route;
  readonly form: ModelListForm;
  /** Path and query of a whole list. */
  readonly path: string;
  readonly rawHeaders: readonly string[];
}

export interface Surveyed {
  /** Undefined when no project answered. */
  readonly models: readonly Fields[] | undefined;
  readonly misses: readonly NamedMiss[];
  readonly notes: readonly AttemptNote[];
  readonly isEmptyPool: boolean;
}

export class ModelSurvey implements FetchListener {
  readonly #options: SurveyOptions;
  readonly #surveyed: (result: Surveyed) => void;
  readonly #running = new Set<ProjectFetch>();
  readonly #lists = new Map<string, ProjectModels>();
  readonly #misses: NamedMiss[] = [];
  readonly #notes: AttemptNote[] = [];
  #projects: readonly ListedProject[] = [];
  #asked = 0;
  #isOver = false;

  constructor(options: SurveyOptions, surveyed: (result: Surveyed) => void) {
    this.#options = options;
    this.#surveyed = surveyed;
  }

  begin(): void {
    const question = { collection: "models", from: "", ownerOf: "" };
    this.#options.service.projects.ask(question, (told) => this.#told(told));
  }

  /** Nobody waits any more. */
  abandon(): void {
    this.#isOver = true;
    for (const fetch of this.#running) fetch.abandon();
    this.#running.clear();
  }

  #told({ projects, isEmptyPool }: ProjectsTold): void {
    if (this.#isOver) return;
    this.#projects = projects;
    if (projects.length === 0) this.#end(isEmptyPool);
    else this.#go();
  }

  #go(): void {
    while (this.#running.size < AT_ONCE && this.#asked < this.#projects.length) {
      const project = this.#projects[this.#asked] as ListedProject;
      this.#asked += 1;
      this.#fetch(project);
    }
    if (this.#running.size === 0) this.#end(false);
  }

  #fetch({ id, keyId }: ListedProject): void {
    const { service, route, path, rawHeaders } = this.#options;
    const waitUntilMs = service.now() + Math.min(LEASE_WAIT_MS, service.config.lease.maxWaitMs);
    const asked = { service, route, project: id, onlyProjectOf: keyId, path, pageToken: "" };
    const fetch = new ProjectFetch({ ...asked, rawHeaders, waitUntilMs }, this);
    this.#running.add(fetch);
    fetch.begin();
  }

  noted(note: AttemptNote): void {
    this.#notes.push(note);
  }

  fetched(fetch: ProjectFetch, _keyId: KeyId, answer: KeptAnswer): void {
    const models = modelsIn(this.#options.form, unpacked(answer));
    if (models === undefined) {
      this.missed(fetch, { last: { outcome: noList(answer.status), kept: undefined }, denial: undefined });
      return;
    }
    this.#running.delete(fetch);
    this.#lists.set(fetch.project, { models, closed: this.#projectOf(fetch)?.closedModels ?? [] });
    this.#go();
  }

  missed(fetch: ProjectFetch, miss: Miss): void {
    this.#running.delete(fetch);
    this.#misses.push({ ...miss, fingerprint: this.#projectOf(fetch)?.fingerprint ?? "" });
    this.#go();
  }

  #projectOf({ project }: ProjectFetch): ListedProject | undefined {
    return this.#projects.find(({ id }) => id === project);
  }

  #end(isEmptyPool: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // In the order of the projects: the list must not depend on who answered first.
    const lists = this.#projects.flatMap(({ id }) => this.#lists.get(id) ?? []);
    this.#surveyed({
      models: lists.length === 0 ? undefined : unionOfModels(this.#options.form, lists),
      misses: this.#misses,
      notes: this.#notes,
      isEmptyPool,
    });
  }
}
