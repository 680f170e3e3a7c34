/**
 * Where in a body the scanner is: the open objects and arrays, each as one number that says what its key means and
 * what that makes of everything in it. Pure; one for each body. The walk follows the same rules over parsed JSON.
 */
import { holdsTurns, isOpaque, KEY, type Place } from "./reference-keys.ts";

const KEY_MASK = 0x3f;
const PARENT_SHIFT = 6;
const ARRAY = 1 << 12;
/** Below the caller's own data: nothing in it means anything. */
const OPAQUE = 1 << 13;
/** Strings in it stand at the top of the body: the whole object, and arrays that are its values. */
const ROOT = 1 << 14;
/** Below the `input` of an interaction. */
const INPUT = 1 << 15;

/** The level of a value that an object or array opens, from the level around it and its key. Shared with the walk. */
export function levelBelow(around: number, key: number, isArray: boolean): number {
  let level = key | (around & (OPAQUE | INPUT));
  const isElement = (around & ARRAY) !== 0;
  if (!isElement && isOpaque(key, !isArray)) level |= OPAQUE;
  if ((around & ROOT) !== 0 && key === KEY.input) level |= INPUT;
  if (!isArray) return level;
  const parent = isElement ? (around >> PARENT_SHIFT) & KEY_MASK : around & KEY_MASK;
  return level | ARRAY | (parent << PARENT_SHIFT) | (around & ROOT);
}

/** The level of the outermost value. */
export function outermostLevel(isArray: boolean): number {
  return isArray ? ARRAY : ROOT;
}

/** Key of the values of a level that is an array; they have none of their own. */
export function elementKey(level: number): number {
  return level & KEY_MASK;
}

export function isArrayLevel(level: number): boolean {
  return (level & ARRAY) !== 0;
}

export function isOpaqueLevel(level: number): boolean {
  return (level & OPAQUE) !== 0;
}

/** Whether the level's keys stand at the top of the body. */
export function isRootLevel(level: number): boolean {
  return (level & ROOT) !== 0;
}

export function placeIn(level: number, key: number): Place {
  const isArray = (level & ARRAY) !== 0;
  return {
    key,
    parent: isArray ? (level >> PARENT_SHIFT) & KEY_MASK : level & KEY_MASK,
    atRoot: (level & ROOT) !== 0,
    inInput: (level & INPUT) !== 0,
  };
}

/** What a value is to the conversation that the body holds. */
export type Part = "turn" | "system" | undefined;

/**
 * @param depth how many objects and arrays are open around the value.
 * @param isArray whether the value is an array: one of turns is no turn itself.
 */
export function partAt(level: number, depth: number, key: number, isArray: boolean): Part {
  if ((level & ROOT) === 0) return undefined;
  if (key === KEY.systemInstruction) return depth === 1 ? "system" : undefined;
  if (!holdsTurns(key)) return undefined;
  return depth === 2 || (depth === 1 && !isArray) ? "turn" : undefined;
}
