/** What a request's body tells of where it may go, however it was read. Plain data; see read-body.ts. */
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

/**
 * Most strings of one body that are looked at. Google takes some thousand files at the very most; looking at one costs
 * about a microsecond, which a hostile body must not ask for by the million.
 */
export const LOOKS_MAX = 65_536;

export interface BodyReading {
  /** Resources the body names, one for each root, in order. */
  readonly resources: readonly Resource[];
  /**
   * Whether the body goes beyond bounds that no client comes near, in nesting, references or escaped keys: what lies
   * behind them was not read.
   */
  readonly isPartial: boolean;
  /** Whether it carries thought signatures that a project may have issued. */
  readonly isSigned: boolean;
  /** Top-level `model` and `agent`, as they stand there; undefined when longer than a name can be. */
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
