/**
 * Recognises keys of one Google project by the project number that answers of Google's name: such keys share one quota
 * and rest together. The operator's label goes before it: it names the project, and keys without one join it.
 * Primary thread. It logs fingerprints only.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { Logger } from "pino";
import type { KeyRing } from "./key-ring.ts";
import type { KeyTable } from "./store/key-table.ts";
import type { KeyRow } from "./store/rows.ts";

export interface SiblingsOptions {
  readonly scheduler: Pick<Scheduler, "assignProject">;
  readonly ring: Pick<KeyRing, "get">;
  readonly store: { readonly keys: Pick<KeyTable, "learnProjects"> };
  readonly log: Logger;
  readonly now: () => number;
}

/** The keys of one Google project. */
interface Family {
  /** Its number. */
  readonly consumer: string;
  readonly ids: Set<KeyId>;
  /** The first label that one of its keys had: the name of the project for those without one. */
  label: string | undefined;
}

/** Fingerprints named in one warning. */
const FINGERPRINTS_SHOWN_MAX = 20;
/** Projects stored in one turn. */
const ROWS_A_TURN = 200;
/** After a write that failed the next one waits this long, milliseconds. */
const RETRY_MS = 10_000;

export class Siblings implements Disposable {
  readonly #options: SiblingsOptions;
  readonly #labels = new Map<KeyId, string>();
  /** By the number of the project; no more than keys. */
  readonly #families = new Map<string, Family>();
  readonly #familyOf = new Map<KeyId, Family>();
  /** The first project number that each label was seen with. */
  readonly #consumerOfLabel = new Map<string, string>();
  readonly #unsaved = new Map<KeyId, string>();
  #retryAtMs = 0;
  /** Projects and labels that were warned of. */
  readonly #warned = new Set<string>();

  constructor(options: SiblingsOptions) {
    this.#options = options;
  }

  /** Keys that are in the scheduler and the ring, new or with another label. What was learnt of them counts. */
  know(rows: readonly Pick<KeyRow, "id" | "label" | "learnt">[]): void {
    for (const { id, label, learnt } of rows) {
      if (label === null) this.#labels.delete(id);
      else this.#labels.set(id, label);
      const consumer = learnt ?? this.#familyOf.get(id)?.consumer;
      if (consumer !== undefined) this.#join(id, consumer);
    }
  }

  /** Keys are gone. */
  forget(ids: readonly KeyId[]): void {
    for (const id of ids) {
      this.#leave(id);
      this.#labels.delete(id);
      this.#unsaved.delete(id);
    }
  }

  /** Some key of the Google project of this number; undefined when none is known to be of it. */
  keyOf(consumer: string): KeyId | undefined {
    return this.#families.get(consumer)?.ids.values().next().value;
  }

  /** A request or a test with the key has ended, and its answer may have named the key's project. */
  heard(id: KeyId, outcome: Outcome): void {
    const consumer = "evidence" in outcome ? outcome.evidence.consumer : undefined;
    if (consumer !== undefined) this.#learn(id, consumer);
  }

  #learn(id: KeyId, consumer: string): void {
    if (this.#familyOf.get(id)?.consumer === consumer || this.#options.ring.get(id) === undefined) return;
    this.#unsaved.set(id, consumer);
    this.#join(id, consumer);
  }

  /** Stores some of what was learnt. To be called several times a second. */
  write(): void {
    const { store, log, now } = this.#options;
    if (this.#unsaved.size === 0 || now() < this.#retryAtMs) return;
    const rows = [...this.#unsaved.entries().take(ROWS_A_TURN)].map(([id, project]) => ({ id, project }));
    try {
      store.keys.learnProjects(rows);
      for (const { id } of rows) this.#unsaved.delete(id);
    } catch (error) {
      this.#retryAtMs = now() + RETRY_MS;
      log.error(
        { err: error },
        "the projects of keys cannot be written; they are known until the next start",
      );
    }
  }

  /** Stores what is left, unless the database refuses. */
  [Symbol.dispose](): void {
    this.#retryAtMs = 0;
    while (this.#unsaved.size > 0 && this.#retryAtMs === 0) this.write();
  }

  #join(id: KeyId, consumer: string): void {
    this.#leave(id);
    const family = this.#families.get(consumer) ?? { consumer, ids: new Set(), label: undefined };
    this.#families.set(consumer, family);
    this.#familyOf.set(id, family);
    family.ids.add(id);
    const label = this.#labels.get(id);
    if (label === undefined) this.#options.scheduler.assignProject(id, family.label ?? consumer);
    else this.#joinLabelled(label, family);
    // One label for all of them: the operator knows.
    if (family.ids.size > 1 && (label === undefined || label !== family.label)) this.#warnOfSharing(family);
  }

  /** The first label of a family is the name of the project for its keys without one. */
  #joinLabelled(label: string, family: Family): void {
    if (family.label === undefined) {
      family.label = label;
      for (const id of family.ids) {
        if (!this.#labels.has(id)) this.#options.scheduler.assignProject(id, label);
      }
    }
    const consumer = this.#consumerOfLabel.get(label);
    if (consumer === undefined) this.#consumerOfLabel.set(label, family.consumer);
    else if (consumer !== family.consumer) this.#warnOfSplitLabel(label, [consumer, family.consumer]);
  }

  #leave(id: KeyId): void {
    const family = this.#familyOf.get(id);
    if (family === undefined) return;
    this.#familyOf.delete(id);
    family.ids.delete(id);
    if (family.ids.size === 0) this.#families.delete(family.consumer);
  }

  #warnOfSharing({ consumer, ids }: Family): void {
    if (!this.#isNews(consumer)) return;
    const shown = [...ids].slice(0, FINGERPRINTS_SHOWN_MAX);
    const keys = shown.map((id) => this.#options.ring.get(id)?.fingerprint);
    const labels = [...new Set(shown.flatMap((id) => this.#labels.get(id) ?? []))];
    const { log } = this.#options;
    if (labels.length > 1) {
      log.warn(
        { project: consumer, labels, keys },
        "Google counts keys under different project labels as one project: they share one quota; the labels are kept",
      );
    } else {
      log.warn(
        { project: consumer, keys },
        "keys belong to one Google project: they share one quota, and more of them do not add to it",
      );
    }
  }

  #warnOfSplitLabel(label: string, projects: readonly string[]): void {
    if (!this.#isNews(`label ${label}`)) return;
    this.#options.log.warn(
      { label, projects },
      "keys under one project label belong to several Google projects: the label is kept, and they rest together",
    );
  }

  #isNews(subject: string): boolean {
    if (this.#warned.has(subject)) return false;
    this.#warned.add(subject);
    return true;
  }
}
