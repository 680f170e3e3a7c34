/**
 * What a string in a request names, by the place where it stands. Pure; runs on the HTTP workers.
 * The scanner and the walk both ask here.
 */
import { type Address, type PublicBase, readAddress } from "./file-address.ts";
import { opaqueResource, TOKEN_BYTES_MAX } from "./opaque-name.ts";
import { KEY, type Place } from "./reference-keys.ts";
import {
  NAME_LENGTH_MAX,
  parseResourceName,
  type Resource,
  type ResourceKind,
  resourceIn,
} from "./resource-name.ts";

/** Documented stand-ins for a signature of another model's turn: Google checks none of them, any project will do. */
const SIGNATURE_STAND_INS: ReadonlySet<string> = new Set([
  "skip_thought_signature_validator",
  "context_engineering_is_the_way_to_go",
]);

/** `environment: "remote"` asks for a new one. */
const NEW_ENVIRONMENT = "remote";

/** A JSON string spends at most this many bytes on one UTF-16 unit: `\\u0041`. */
const ESCAPE_BYTES_MAX = 6;

function isToken(key: number): boolean {
  return key === KEY.continuationToken || key === KEY.handle;
}

/** Longest string under the key, bytes as they stand in the body, that can name something: longer ones name nothing. */
export function tellingBytesMax(key: number): number {
  return ESCAPE_BYTES_MAX * (isToken(key) ? TOKEN_BYTES_MAX : NAME_LENGTH_MAX);
}

/**
 * Whether the string is a thought signature that a project may have issued.
 * @param text undefined for one longer than {@link tellingBytesMax}: no stand-in is.
 */
export function isSignature(place: Place, text: string | undefined): boolean {
  if (text === "" || (text !== undefined && SIGNATURE_STAND_INS.has(text))) return false;
  return place.key === KEY.thoughtSignature || (place.key === KEY.signature && place.inInput);
}

function named(resource: Resource | undefined): Address | undefined {
  return resource === undefined ? undefined : { resource, ownBase: undefined };
}

function ofKind(address: Address | undefined, kind: ResourceKind): Address | undefined {
  return address?.resource.kind === kind ? address : undefined;
}

/** Things that name an agent or an environment for the whole interaction: of the body, or of a trigger's `interaction`. */
function isInteraction({ atRoot, parent }: Place): boolean {
  return atRoot || parent === KEY.interaction;
}

function inCollection(collection: string, id: string, kind: ResourceKind): Address | undefined {
  return ofKind(named(resourceIn(collection, id)), kind);
}

function fileAt(text: string, bases: readonly PublicBase[]): Address | undefined {
  const address = readAddress(text, bases);
  const kind = address?.resource.kind;
  // A snapshot of an environment and the media of a store have the addresses of files.
  return kind === "file" || kind === "environment" || kind === "store" ? address : undefined;
}

/**
 * The resource a string names.
 * @param bases the gateway's own addresses, see file-address.ts.
 */
export function addressNamedAt(
  place: Place,
  text: string,
  bases: readonly PublicBase[],
): Address | undefined {
  if (text.length > NAME_LENGTH_MAX && !isToken(place.key)) return undefined;
  switch (place.key) {
    case KEY.cachedContent:
      return ofKind(named(parseResourceName(text)), "cache");
    case KEY.fileUri:
      return fileAt(text, bases);
    case KEY.url:
      return place.parent === KEY.imageUrl ? fileAt(text, bases) : undefined;
    case KEY.storeNames:
      return ofKind(named(parseResourceName(text)), "store");
    case KEY.previousInteraction:
      return inCollection("interactions", text, "interaction");
    case KEY.continuationToken:
      return named(opaqueResource("continuation", text));
    case KEY.fileName:
      return place.atRoot || place.parent === KEY.inputConfig
        ? ofKind(readAddress(text, bases), "file")
        : undefined;
    case KEY.inputFileId:
      return place.atRoot ? inCollection("files", text, "file") : undefined;
    case KEY.fileId:
      return place.parent === KEY.file ? inCollection("files", text, "file") : undefined;
    case KEY.model:
      return ofKind(named(parseResourceName(text)), "tuned-model");
    case KEY.handle:
      return place.parent === KEY.sessionResumption ? named(opaqueResource("live-handle", text)) : undefined;
    default:
      return managedThing(place, text);
  }
}

/** Agents and what they work with. */
function managedThing(place: Place, text: string): Address | undefined {
  switch (place.key) {
    case KEY.agent:
    case KEY.baseAgent:
      return isInteraction(place) ? inCollection("agents", text, "agent") : undefined;
    case KEY.environment:
      return isInteraction(place) && text !== NEW_ENVIRONMENT
        ? inCollection("environments", text, "environment")
        : undefined;
    case KEY.environmentId:
      return inCollection("environments", text, "environment");
    case KEY.credential:
      return inCollection("credentials", text, "credential");
    case KEY.voice:
      return text.startsWith("voice_") ? inCollection("voices", text, "voice") : undefined;
    default:
      return undefined;
  }
}
