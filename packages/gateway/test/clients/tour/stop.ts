/**
 * What a tour is made of: stops at which a client makes something that belongs to one Google project, comes back to use
 * it, and takes it away. The clients' own files say how; whoever travels says when, and by which way: straight to the
 * emulator, or through a gateway.
 */
import type { Emulator } from "gemini-emulator";
import type { Call } from "gemini-emulator/call-log";

/** A kind of thing to make. */
export interface Stop {
  readonly name: string;
  make(): Promise<Stay>;
}

/** Something that was made. */
export interface Stay {
  /** As errors call it; empty for what opens something by itself, which no error tells. */
  readonly name: string;
  /** Name of the project that owns it. */
  readonly owner: string;
  /** True for what only prefers its project: when that is out of service, another serves. */
  readonly isMovable?: boolean;
  /** Uses all of it, and sees by the answers that its owner served. May be done as often as one likes. */
  visit(): Promise<void>;
  /** Sees it in the list of its kind. */
  find?(): Promise<void>;
  leave(): Promise<void>;
}

/** What every client shows: the one key of a lone project, or the auth key of a gateway that wants one. */
export const CLIENT_KEY = "test-key-tour";

/** Where a client is to go. */
export interface World {
  /** Base URL of whatever serves now; another one after a restart. No slash at the end. */
  readonly url: string;
  readonly emulator: Emulator;
  /** An empty folder for files. */
  readonly folder: string;
}

/**
 * The project that owns what was made, by its name; `upload:<id>` for an upload that goes on.
 * @throws Error when the upstream knows nobody.
 */
export function ownerOf({ emulator }: World, name: string): string {
  const owner = emulator.ownerOf(name) ?? ownerToldOf(emulator, name);
  if (owner === undefined) throw new Error(`nobody owns ${name}`);
  return owner;
}

function ownerToldOf({ calls }: Emulator, name: string): string | undefined {
  const touches = calls.recent().flatMap(({ resources }) => resources);
  return touches.find((touch) => touch.name === name && touch.access === "created")?.owner;
}

/** What the emulator's model says for a project to a prompt of letters. */
export function replyOf(project: string, prompt: string): string {
  return `Hello from project ${project}: you said "${prompt}"`;
}

/**
 * Calls that came to another project than the one that owns what they name, as texts; none is as it should be. Signed
 * thoughts are left out: their project is only preferred.
 */
export function strayCalls({ calls }: Emulator): readonly string[] {
  return calls.recent().filter(isStray).map(told);
}

function isStray({ project, resources }: Call): boolean {
  return resources.some(
    ({ name, owner, access }) =>
      owner !== "" && owner !== project && access !== "created" && name !== "thoughtSignature",
  );
}

function told({ method, path, project, status, resources }: Call): string {
  return `${method} ${path} at ${project} (${status}): ${JSON.stringify(resources)}`;
}

/** Most polls of a job; the emulator's are done after two. */
const POLLS_MAX = 5;

/**
 * Asks until it is done.
 * @throws Error when it is not after {@link POLLS_MAX} times.
 */
export async function polled<T>(ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<T> {
  for (let polls = 0; polls < POLLS_MAX; polls += 1) {
    const answer = await ask();
    if (isDone(answer)) return answer;
  }
  throw new Error(`not done after ${POLLS_MAX} polls`);
}
