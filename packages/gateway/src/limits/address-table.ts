/**
 * The requests of every address, counted exactly over all threads without a message: a set-associative table in shared
 * memory. An address may stand in one set of {@link WAYS} slots, found by a seeded hash; in a full set the address not
 * heard of for longest gives way, so that millions of addresses need no more memory than the table has.
 * Any thread. It counts and judges; bans are kept elsewhere, so that none is lost with a slot.
 */
import {
  ADDRESS_QUOTA_CELLS,
  type AddressLimits,
  type AddressVerdict,
  countRequest,
} from "@gemini-gateway/core/limits/address-quota";
import type { Network } from "@gemini-gateway/core/network/network";
import { type LockHolder, SharedLocks } from "./shared-locks.ts";

/** Slots of a set. */
const WAYS = 8;
/** Cells in front of a slot's counts: the two halves of the address, and when it was last heard of. */
const HIGH = 0;
const LOW = 1;
const HEARD = 2;
const QUOTA = 3;
const SLOT_CELLS = QUOTA + ADDRESS_QUOTA_CELLS;
/** Coarse enough for years to fit into a cell, milliseconds. */
const HEARD_UNIT_MS = 64;
/** Cells in front of the locks: seed of the hash, number of sets. */
const SEED = 0;
const SETS = 1;
const HEAD_CELLS = 2;

/** No source address is a multicast one, so these bits in front of an IPv4 address make it like no IPv6 network. */
const IPV4_HIGH = 0xff_ff_ff_ff;

/**
 * Memory for at least `addresses` addresses, some 512 bytes each; the system provides it page by page as it is used.
 * @param seed whole number; secret, so that nobody can choose addresses that share a set
 */
export function allocateAddressTable(addresses: number, seed: number): SharedArrayBuffer {
  const sets = 2 ** Math.ceil(Math.log2(Math.max(1, addresses / WAYS)));
  const cells = HEAD_CELLS + sets + sets * WAYS * SLOT_CELLS;
  const memory = new SharedArrayBuffer(cells * Uint32Array.BYTES_PER_ELEMENT);
  const head = new Uint32Array(memory, 0, HEAD_CELLS);
  head[SEED] = seed;
  head[SETS] = sets;
  return memory;
}

/** One thread's view of the table. */
export class AddressTable {
  readonly #cells: Uint32Array;
  readonly #locks: SharedLocks;
  readonly #seed: number;
  readonly #sets: number;
  readonly #slotsAt: number;

  constructor(memory: SharedArrayBuffer, holder: LockHolder) {
    this.#cells = new Uint32Array(memory);
    this.#seed = this.#cells[SEED] ?? 0;
    this.#sets = this.#cells[SETS] ?? 0;
    const locksAt = HEAD_CELLS * Int32Array.BYTES_PER_ELEMENT;
    this.#locks = new SharedLocks(new Int32Array(memory, locksAt, this.#sets), holder);
    this.#slotsAt = HEAD_CELLS + this.#sets;
  }

  /**
   * Counts one request of the network and judges it.
   * @param network an IPv4 address or an IPv6 /64; further bits are not looked at
   * @param nowMs of the steady clock that all threads share
   */
  count({ family, groups }: Network, limits: AddressLimits, nowMs: number): AddressVerdict {
    const high = family === 4 ? IPV4_HIGH : pairOf(groups, 0);
    const low = pairOf(groups, family === 4 ? 0 : 2);
    const set = mix(high, low, this.#seed) & (this.#sets - 1);
    return this.#locks.hold(set, () => {
      const slot = this.#claim(this.#setAt(set), high, low, nowMs);
      return countRequest(this.#cells, slot + QUOTA, limits, nowMs);
    });
  }

  /** Forgets the addresses that `matches` names. Takes milliseconds: for an operator's command, not for a request. */
  forget(matches: (high: number, low: number) => boolean): void {
    for (let set = 0; set < this.#sets; set += 1) {
      const at = this.#setAt(set);
      this.#locks.hold(set, () => {
        for (let slot = at; slot < at + WAYS * SLOT_CELLS; slot += SLOT_CELLS) {
          if (this.#cell(slot, HEARD) === 0) continue;
          if (matches(this.#cell(slot, HIGH), this.#cell(slot, LOW))) this.#cells[slot + HEARD] = 0;
        }
      });
    }
  }

  /** Frees the locks of a thread that died. Primary only. */
  reclaim(holder: LockHolder): void {
    this.#locks.reclaim(holder);
  }

  /** The slot of the address: its own, else an empty one, else the one not heard of for longest. */
  #claim(setAt: number, high: number, low: number, nowMs: number): number {
    let own: number | undefined;
    let stalest = setAt;
    let newest = Math.floor(nowMs / HEARD_UNIT_MS);
    for (let slot = setAt; slot < setAt + WAYS * SLOT_CELLS; slot += SLOT_CELLS) {
      const heard = this.#cell(slot, HEARD);
      if (heard > 0 && this.#cell(slot, HIGH) === high && this.#cell(slot, LOW) === low) own = slot;
      if (heard < this.#cell(stalest, HEARD)) stalest = slot;
      newest = Math.max(newest, heard);
    }
    if (own === undefined) {
      // Empty before it is changed and named last: whoever finds it half done finds an empty slot.
      this.#cells[stalest + HEARD] = 0;
      this.#cells.fill(0, stalest + QUOTA, stalest + SLOT_CELLS);
      this.#cells[stalest + HIGH] = high;
      this.#cells[stalest + LOW] = low;
      own = stalest;
    }
    // Later than all others of the set, in a flood too, where many are heard of in one unit of time.
    if (this.#cell(own, HEARD) < newest || newest === 0) this.#cells[own + HEARD] = newest + 1;
    return own;
  }

  #setAt(set: number): number {
    return this.#slotsAt + set * WAYS * SLOT_CELLS;
  }

  #cell(slot: number, offset: number): number {
    return this.#cells[slot + offset] ?? 0;
  }
}

/** True for the addresses of the table (as {@link AddressTable.forget} names them) that the network holds or is within. */
export function isCountedWithin(network: Network): (high: number, low: number) => boolean {
  const { family, groups, prefix } = network;
  const wantedHigh = pairOf(groups, 0);
  if (family === 4) return (high, low) => high === IPV4_HIGH && isSameStart(low, wantedHigh, prefix);
  const wantedLow = pairOf(groups, 2);
  return (high, low) =>
    high !== IPV4_HIGH && isSameStart(high, wantedHigh, prefix) && isSameStart(low, wantedLow, prefix - 32);
}

/** Whether the first `bits` bits (all for 32 and more, none for 0 and less) of two 32-bit numbers are the same. */
function isSameStart(left: number, right: number, bits: number): boolean {
  if (bits <= 0) return true;
  return bits >= 32 ? left === right : left >>> (32 - bits) === right >>> (32 - bits);
}

/** Two groups of 16 bits as one number. */
function pairOf(groups: readonly number[], at: number): number {
  return (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0;
}

/** Spreads addresses over the sets; the steps are the finishing mix of MurmurHash3. */
function mix(high: number, low: number, seed: number): number {
  let hash = finish(high ^ seed);
  hash = finish(hash ^ low);
  return finish(hash ^ seed);
}

function finish(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
