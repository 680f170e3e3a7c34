/**
 * Reads what a request's body tells of its way by parsing it: the plain way, for bodies of which the scanner cannot
 * tell, and what the scanner is tested against. Runs on the HTTP workers, rarely. Never throws.
 */
import { type BodyReading, LOOKS_MAX } from "./body-reading.ts";
import type { PublicBase } from "./file-address.ts";
import { elementKey, isOpaqueLevel, levelBelow, outermostLevel, placeIn } from "./json-place.ts";
import { isFields } from "../json-fields.ts";
import { hasTellingValue, KEY, KEY_BY_SPELLING } from "./reference-keys.ts";
import { addressNamedAt, isSignature } from "./reference-rules.ts";
import { NAME_LENGTH_MAX, type Resource } from "./resource-name.ts";

interface Visit {
  readonly value: unknown;
  readonly level: number;
  /** Meaning of the key that holds the value. */
  readonly key: number;
}

interface Found {
  readonly resources: Map<string, Resource>;
  looks: number;
  isSigned: boolean;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function takeText(text: string, { level, key }: Visit, bases: readonly PublicBase[], found: Found): void {
  if (!hasTellingValue(key) || isOpaqueLevel(level)) return;
  found.looks += 1;
  if (found.looks > LOOKS_MAX) return;
  const place = placeIn(level, key);
  if (isSignature(place, text)) found.isSigned = true;
  const resource = addressNamedAt(place, text, bases)?.resource;
  if (resource !== undefined && !found.resources.has(resource.root))
    found.resources.set(resource.root, resource);
}

/** Adds the values in an object or array to those to be visited; last first, so that they come in order. */
function visitInside(value: object, level: number, pending: Visit[]): void {
  const isArray = Array.isArray(value);
  const below = isArray ? (value as unknown[]).entries() : Object.entries(value);
  const visits: Visit[] = [];
  for (const [name, inner] of below) {
    if (typeof inner !== "string" && (typeof inner !== "object" || inner === null)) continue;
    const key = isArray ? elementKey(level) : (KEY_BY_SPELLING.get(name as string) ?? KEY.none);
    visits.push({ value: inner, level, key });
  }
  for (const visit of visits.toReversed()) pending.push(visit);
}

function nameOf(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= NAME_LENGTH_MAX ? value : undefined;
}

/** @param bases the gateway's own addresses, see file-address.ts. */
export function walkBody(body: Buffer, bases: readonly PublicBase[] = []): BodyReading {
  const parsed = parse(body);
  const found: Found = { resources: new Map(), looks: 0, isSigned: false };
  const pending: Visit[] = [];
  if (typeof parsed === "object" && parsed !== null)
    visitInside(parsed, outermostLevel(Array.isArray(parsed)), pending);
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { value, level, key } = visit;
    if (typeof value === "string") takeText(value, visit, bases, found);
    else visitInside(value as object, levelBelow(level, key, Array.isArray(value)), pending);
  }
  const top = isFields(parsed) ? parsed : {};
  return {
    resources: [...found.resources.values()],
    isPartial: found.looks > LOOKS_MAX,
    isSigned: found.isSigned,
    model: nameOf(top["model"]),
    agent: nameOf(top["agent"]),
    stream: top["stream"] === true,
    modelSpan: undefined,
    ownAddresses: undefined,
    lead: undefined,
  };
}
