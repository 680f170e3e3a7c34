/**
 * The named clients: who has an auth key with limits of its own. Primary thread, which alone stores them; every change
 * is told to the workers at once, so that a revoked secret is worth nothing from then on. It never sees a secret.
 */
import type { ClientNotice, GuardToWorker } from "../../limits/messages.ts";
import { CLIENT_ENTRIES, type ClientEntry, type ClientTable } from "../../limits/client-table.ts";
import { OperatorError } from "../../control/operator-error.ts";
import type { ClientRow, ClientRows } from "../store/client-rows.ts";

export interface ClientBookOptions {
  readonly rows: ClientRows;
  readonly table: ClientTable;
  /** Whether an auth key of the configuration has the name. */
  readonly isTaken: (name: string) => boolean;
  readonly publish: (message: GuardToWorker) => void;
}

/** Most clients: half of the entries, so that an entry has rested when it becomes another client's. */
export const CLIENTS_MAX = CLIENT_ENTRIES / 2;

interface Member {
  readonly row: ClientRow;
  readonly entry: ClientEntry;
}

export class ClientBook {
  readonly #options: ClientBookOptions;
  readonly #members = new Map<string, Member>();
  /** Free entries, the one that rested longest first. */
  readonly #free: number[] = Array.from({ length: CLIENT_ENTRIES }, (_, index) => index);
  #generations = 0;

  constructor(options: ClientBookOptions) {
    this.#options = options;
    for (const row of options.rows.load().slice(0, CLIENTS_MAX)) this.#admit(row);
  }

  /** Every client, by name. */
  list(): readonly ClientRow[] {
    return [...this.#members.values()].map(({ row }) => row).toSorted(byName);
  }

  notices(): readonly ClientNotice[] {
    return [...this.#members.values()].map(({ row, entry }) => noticeOf(row, entry));
  }

  /** Where a client's use is counted; undefined when there is no such client. */
  entryOf(name: string): ClientEntry | undefined {
    return this.#members.get(name)?.entry;
  }

  /** @throws OperatorError when the name is taken or there are too many */
  add(row: ClientRow): void {
    const { isTaken, rows } = this.#options;
    if (this.#members.has(row.name) || isTaken(row.name)) {
      throw new OperatorError("bad-request", `There is an auth key named ${row.name} already.`);
    }
    if (this.#members.size >= CLIENTS_MAX) {
      throw new OperatorError("bad-request", `There are ${CLIENTS_MAX} clients: revoke one first.`);
    }
    rows.insert(row);
    this.#admit(row);
    this.#publish();
  }

  /** Revokes those of these names; returns the names of those there were. */
  revoke(names: readonly string[]): readonly string[] {
    const revoked = this.#options.rows.remove(names);
    for (const name of revoked) {
      const member = this.#members.get(name);
      if (member === undefined) continue;
      this.#members.delete(name);
      this.#free.push(member.entry.index);
    }
    if (revoked.length > 0) this.#publish();
    return revoked;
  }

  #admit(row: ClientRow): void {
    const index = this.#free.shift();
    if (index === undefined) throw new Error("there are fewer entries than clients");
    this.#generations += 1;
    const entry = { index, generation: this.#generations };
    this.#options.table.open(entry);
    this.#members.set(row.name, { row, entry });
  }

  #publish(): void {
    this.#options.publish({ type: "clients.changed", clients: this.notices() });
  }
}

function noticeOf(row: ClientRow, entry: ClientEntry): ClientNotice {
  const { name, digest, limits, models, expiresAtMs } = row;
  return { name, digest, entry, limits, models, expiresAtMs };
}

function byName(left: ClientRow, right: ClientRow): number {
  return left.name < right.name ? -1 : 1;
}
