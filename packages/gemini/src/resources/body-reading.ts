/** What a request's body tells of where it may go, however it was read. Plain data; see body-scanner.ts. */
import type { ConversationLead } from "./conversation-lead.ts";
import type { PublicBase } from "./file-address.ts";
import type { Resource } from "./resource-name.ts";

/** A part of the body, offsets in bytes: `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A string, without its quotes, that holds an address of the gateway itself, which Google would not know. */
export interface OwnAddress extends Span {
  /** The address as it was meant. */
  readonly text: string;
  readonly base: PublicBase;
}

/** Why the scanner could not tell: two keys alike of which one is overwritten, nesting or references beyond bounds. */
export type Doubt = "duplicate-key" | "deep" | "too-many";

export interface BodyReading {
  /** Resources the body names, one for each root, in order. */
  readonly resources: readonly Resource[];
  /** Whether it carries thought signatures that a project may have issued. */
  readonly isSigned: boolean;
  /** Top-level `model` and `agent`, as they stand there. */
  readonly model: string | undefined;
  readonly agent: string | undefined;
  /** Whether the top-level `stream` is true. */
  readonly stream: boolean;
  /** The one top-level `model`, without its quotes; undefined when there is none, or more than one. */
  readonly modelSpan: Span | undefined;
  /** Undefined when they were not looked for: the body had to be parsed. */
  readonly ownAddresses: readonly OwnAddress[] | undefined;
  /** How the conversation begins; undefined when the body had to be parsed. */
  readonly lead: ConversationLead | undefined;
}
