/**
 * Serves the pages about the gateway itself, `/status` and `/metrics`, which the primary makes. Worker threads.
 * However many ask, a worker asks the primary for a page at most twice a second. Costs no key.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { GatewayConfig } from "../config.ts";
import type { PageContent, PageName, ToPrimary } from "../protocol.ts";
import type { Caller } from "./auth.ts";
import type { ClientCall } from "./client/client-call.ts";
import { ownAnswer, sendRefusal } from "./own-answer.ts";

export interface PageDeskOptions {
  readonly post: (message: ToPrimary) => void;
  readonly now: () => number;
}

/** For how long a page is given to whoever asks, milliseconds. */
const FRESH_MS = 500;
/** Longest wait for the primary, milliseconds; it answers in a few unless it is in trouble. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Callers of one worker that may wait for a page at once. */
const WAITING_MAX = 256;
/** When those beyond, and those who waited in vain, may ask again, milliseconds. */
const BUSY_RETRY_MS = 1_000;

export const PAGE_PATHS: ReadonlyMap<string, PageName> = new Map([
  ["/status", "status"],
  ["/metrics", "metrics"],
]);

/** Why this caller may not read the page; undefined when it may. */
export function pageRefusal(
  page: PageName,
  method: string,
  { authenticated }: Pick<Caller, "authenticated">,
  metricsAccess: GatewayConfig["metricsAccess"],
): ErrorCode | undefined {
  const access = page === "status" ? "authenticated" : metricsAccess;
  if (access === "nobody") return "not-found";
  if (access === "authenticated" && !authenticated) return "unauthenticated";
  return method === "GET" || method === "HEAD" ? undefined : "method-not-allowed";
}

/** Someone who gets the page when it is there, or is told that it is not. */
interface Reader {
  readonly call: ClientCall;
  /** Headers every answer carries; a flat list. */
  readonly extraHeaders: readonly string[];
}

/** A page this worker asked for or was given. */
interface Shelf {
  readonly waiting: Reader[];
  timer: NodeJS.Timeout | undefined;
  content: PageContent | undefined;
  atMs: number;
}

export class PageDesk {
  readonly #options: PageDeskOptions;
  readonly #shelves: Readonly<Record<PageName, Shelf>> = { status: emptyShelf(), metrics: emptyShelf() };

  constructor(options: PageDeskOptions) {
    this.#options = options;
  }

  /** Answers with the page: at once, or when the primary has sent it. */
  serve(page: PageName, reader: Reader): void {
    const shelf = this.#shelves[page];
    const ageMs = this.#options.now() - shelf.atMs;
    if (shelf.content !== undefined && ageMs >= 0 && ageMs < FRESH_MS) send(reader, shelf.content);
    else if (shelf.waiting.length >= WAITING_MAX) refuse(reader);
    else if (shelf.waiting.push(reader) === 1) this.#ask(page, shelf);
  }

  /** Takes in what the primary made; without content it could not. */
  receive(page: PageName, content: PageContent | undefined): void {
    const shelf = this.#shelves[page];
    clearTimeout(shelf.timer);
    shelf.content = content;
    shelf.atMs = this.#options.now();
    for (const reader of shelf.waiting.splice(0)) {
      if (content === undefined) refuse(reader);
      else send(reader, content);
    }
  }

  #ask(page: PageName, shelf: Shelf): void {
    shelf.timer = setTimeout(() => this.receive(page, undefined), ANSWER_TIMEOUT_MS);
    this.#options.post({ type: "page.ask", page });
  }
}

function emptyShelf(): Shelf {
  return { waiting: [], timer: undefined, content: undefined, atMs: 0 };
}

function send({ call, extraHeaders }: Reader, { contentType, body }: PageContent): void {
  if (call.isLost) return;
  call.discardBody();
  const length = String(Buffer.byteLength(body));
  const headers = ["content-type", contentType, "content-length", length, "cache-control", "no-store"];
  call.send(200, [...headers, ...extraHeaders], body);
}

function refuse({ call, extraHeaders }: Reader): void {
  sendRefusal(call, ownAnswer("page-not-made", "native", BUSY_RETRY_MS), extraHeaders);
}
