/**
 * What streams and Live sessions tell of resources, event by event. Runs on the HTTP workers on routes that
 * answer-route.ts names; looks for the few names that matter before it parses anything.
 */
import { fieldsOf, isFields, textOf } from "../json-fields.ts";
import { type Told, toldOf } from "./answer-told.ts";
import { BodyScanner } from "./body-scanner.ts";
import { opaqueResource } from "./opaque-name.ts";
import { type Resource, resourceIn } from "./resource-name.ts";

/** Bytes at the end of an answer that are searched for a continuation token. */
const TAIL_BYTES_MAX = 65_536;
const CONTINUATION_KEY = Buffer.from('"continuationToken"');
const NOTHING: readonly Told[] = [];
const EVENT_TYPE = '"event_type"';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether an event is one of a step's: by far the most, and they only ever name files. */
function isStepEvent(data: string): boolean {
  const at = data.indexOf(EVENT_TYPE);
  // Inside a string the quotes would be escaped.
  return at >= 0 && /^\s*:\s*"step\./.test(data.slice(at + EVENT_TYPE.length, at + EVENT_TYPE.length + 32));
}

function continuation(value: unknown): Resource | undefined {
  return opaqueResource("continuation", textOf(value));
}

/** Files that an interaction made or was given: both are of its project. */
function filesOf(interaction: string): readonly Resource[] {
  const scanner = new BodyScanner();
  scanner.push(Buffer.from(interaction));
  return scanner.isAmbiguous ? [] : scanner.reading().resources.filter(({ kind }) => kind === "file");
}

/** What an interaction, whole or as it stands in an event, tells. */
function interactionResources(interaction: Readonly<Record<string, unknown>>): (Resource | undefined)[] {
  const id = textOf(interaction["id"]) || textOf(interaction["interaction_id"]);
  const environment = textOf(interaction["environment_id"]);
  return [
    id === "" ? undefined : resourceIn("interactions", id),
    environment === "" ? undefined : resourceIn("environments", environment),
    continuation(interaction["continuation_token"]),
  ];
}

/**
 * What the data of one event of an interaction's stream tells, or (the same names, without `event_type`) a whole answer.
 * @param data JSON as the event holds it; `[DONE]` and whatever else tells nothing. Never throws.
 */
export function resourcesInInteraction(data: string, nowMs: number): readonly Told[] {
  const isStep = isStepEvent(data);
  if (isStep && !data.includes('"uri"')) return [];
  const files = filesOf(data);
  const event = isStep ? undefined : parsed(data);
  const about = isFields(event) ? [event, fieldsOf(event["interaction"])] : [];
  const resources = new Map<string, Resource>();
  for (const resource of [...about.flatMap(interactionResources), ...files])
    if (resource !== undefined) resources.set(resource.root, resource);
  return [...resources.values()].map((resource) => toldOf(resource, nowMs));
}

/**
 * The continuation token in the last event or the whole of a generation that stopped with `finishReason: CONTINUATION`.
 * @param tail the answer's last bytes, from the beginning of an event on or not.
 */
export function continuationInTail(tail: Buffer, nowMs: number): readonly Told[] {
  const searched = tail.length <= TAIL_BYTES_MAX ? tail : tail.subarray(tail.length - TAIL_BYTES_MAX);
  if (!searched.includes(CONTINUATION_KEY)) return NOTHING;
  const told: Told[] = [];
  const text = searched.toString("utf8");
  // Inside a string the quotes would be escaped, so that no text a model wrote looks like this.
  for (const match of text.matchAll(/"continuationToken"\s*:\s*("(?:[^"\\]|\\.)*")/g)) {
    const resource = continuation(parsed(match[1] ?? ""));
    if (resource !== undefined) told.push(toldOf(resource, nowMs));
  }
  return told;
}

/** The handle in a message of a Live server, with which the session can be gone on with elsewhere. */
export function handleInLiveMessage(message: Buffer, nowMs: number): Told | undefined {
  if (!message.includes("newHandle") && !message.includes("new_handle")) return undefined;
  const fields = fieldsOf(parsed(message.toString("utf8")));
  const update = fieldsOf(fields["sessionResumptionUpdate"] ?? fields["session_resumption_update"]);
  const handle = opaqueResource("live-handle", textOf(update["newHandle"] ?? update["new_handle"]));
  return handle === undefined ? undefined : toldOf(handle, nowMs);
}
