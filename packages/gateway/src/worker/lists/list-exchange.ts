/**
 * A request for a list, from its admission to its end: asks the primary which projects there are, each of those that the
 * page needs for a page of its own, and answers with the union. Worker threads. What is a list, how pages are laid side
 * by side and where the next begins is decided in the gemini package. Ends exactly once: see `#end`.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { KeyId } from "@gemini-gateway/core/lease";
import type { ClientHeaders } from "@gemini-gateway/gemini/headers";
import { pageAfter, readListPage, writeListPage } from "@gemini-gateway/gemini/resources/list-body";
import { decodeCursor, encodeCursor, type ListPosition } from "@gemini-gateway/gemini/resources/list-cursor";
import { listQuery, type ListRequest } from "@gemini-gateway/gemini/resources/list-request";
import type { ListRoute } from "@gemini-gateway/gemini/resources/list-route";
import { UnionListing } from "@gemini-gateway/gemini/resources/union-listing";
import type { ListedProject, ProjectsTold } from "../../affinity/project-messages.ts";
import { headerOf } from "../../http1/header-list.ts";
import type { Admission } from "../admission.ts";
import type { ClientCall, ClientWatcher } from "../client/client-call.ts";
import { ClientReply, type ReplyWords } from "../client-reply.ts";
import { finalAnswer } from "../final-answer.ts";
import { unpacked, type KeptAnswer } from "../kept-answer.ts";
import { attemptsHeader, rowOf, type AttemptNote, type RowOutcome } from "../request-record.ts";
import type { Service } from "../service.ts";
import { ListLessons } from "./list-lessons.ts";
import { leftOutHeader, type Miss, missToTell, noList } from "./misses.ts";
import { ProjectFetch, type FetchListener } from "./project-fetch.ts";

/** Projects asked at a time for one page: what is asked ahead may be in vain. */
const AT_ONCE = 4;
const JSON_HEADERS = ["content-type", "application/json; charset=UTF-8"];

export class ListExchange implements FetchListener, ClientWatcher, ReplyWords {
  readonly #service: Service;
  readonly #call: ClientCall;
  readonly #admission: Admission;
  readonly #route: ListRoute;
  readonly #request: ListRequest;
  readonly #reply: ClientReply;
  readonly #projects = new Map<string, ListedProject>();
  readonly #running = new Set<ProjectFetch>();
  readonly #misses = new Map<string, Miss>();
  readonly #notes: AttemptNote[] = [];
  readonly #lessons: ListLessons;
  #listing: UnionListing | undefined;
  #hasEnded = false;

  constructor(
    service: Service,
    call: ClientCall,
    admission: Admission,
    list: { readonly route: ListRoute; readonly request: ListRequest },
  ) {
    this.#service = service;
    this.#call = call;
    this.#admission = admission;
    this.#route = list.route;
    this.#request = list.request;
    this.#reply = new ClientReply(call, admission.route, this, service.now);
    this.#lessons = new ListLessons(admission.route.below, service.now);
  }

  begin(): void {
    this.#service.begun();
    this.#call.watch(this);
    this.#call.discardBody();
    const { token } = this.#request;
    const collection = this.#route.collection;
    if (token === "" || this.#route.dialect.nextField === undefined) {
      const ownerOf = token === "" ? "" : this.#lessons.nameOf(collection, token);
      this.#ask({ collection, from: "", ownerOf }, undefined);
      return;
    }
    const decoded = decodeCursor(this.#route, token);
    if (decoded.kind === "refused") this.#refuse("unknown-page");
    else this.#ask({ collection, from: decoded.position.project, ownerOf: "" }, decoded.position);
  }

  #ask(
    question: { readonly collection: string; readonly from: string; readonly ownerOf: string },
    position: ListPosition | undefined,
  ): void {
    this.#service.projects.ask(question, (told) => this.#told(told, position));
  }

  #told({ projects, owner }: ProjectsTold, position: ListPosition | undefined): void {
    if (this.#hasEnded) return;
    const { token, size } = this.#request;
    const isAfterItem = token !== "" && position === undefined;
    if (isAfterItem && owner === undefined) {
      this.#refuse("unknown-page");
      return;
    }
    if (projects.length === 0 && token === "") {
      this.#refuse("pool-empty");
      return;
    }
    for (const project of projects) this.#projects.set(project.id, project);
    const begin =
      isAfterItem && owner !== undefined ? { project: owner, pageToken: token, skip: 0 } : position;
    const callsMax = this.#service.affinity.projectsListedMax;
    this.#listing = new UnionListing(this.#route, [...this.#projects.keys()], size, begin, callsMax);
    this.#go(this.#listing);
  }

  #go(listing: UnionListing): void {
    for (const { project, pageSize, pageToken } of listing.wants(AT_ONCE)) {
      const listed = this.#projects.get(project);
      if (listed === undefined) listing.fail(project);
      else this.#fetch(listed, listQuery(this.#route, this.#request.rest, pageSize, pageToken), pageToken);
    }
    if (listing.isDone) this.#finish(listing);
  }

  #fetch({ id, keyId }: ListedProject, query: string, pageToken: string): void {
    const { route, startedAtMs } = this.#admission;
    const [path = ""] = route.upstreamPath.split("?", 1);
    const fetch = new ProjectFetch(
      {
        service: this.#service,
        route,
        project: id,
        bond: keyId,
        path: `${path}?${query}`,
        pageToken,
        rawHeaders: this.#call.rawHeaders,
        waitUntilMs: startedAtMs + this.#service.config.lease.maxWaitMs,
      },
      this,
    );
    this.#running.add(fetch);
    fetch.begin();
  }

  // --- what came of the fetches --------------------------------------------------------------------------------------

  noted(note: AttemptNote): void {
    this.#notes.push(note);
  }

  fetched(fetch: ProjectFetch, keyId: KeyId, answer: KeptAnswer): void {
    this.#running.delete(fetch);
    const listing = this.#listing;
    if (this.#hasEnded || listing === undefined) return;
    const body = unpacked(answer);
    const page = readListPage(this.#route, body);
    if (page === undefined) {
      this.missed(fetch, { last: { outcome: noList(answer.status), kept: undefined }, denial: undefined });
      return;
    }
    this.#lessons.take(keyId, body);
    listing.take(fetch.project, pageAfter(this.#route, page, fetch.pageToken));
    this.#go(listing);
  }

  missed(fetch: ProjectFetch, miss: Miss): void {
    this.#running.delete(fetch);
    const listing = this.#listing;
    if (this.#hasEnded || listing === undefined) return;
    this.#misses.set(fetch.project, miss);
    listing.fail(fetch.project);
    this.#go(listing);
  }

  #finish(listing: UnionListing): void {
    if (this.#hasEnded) return;
    for (const fetch of this.#running) fetch.abandon();
    this.#running.clear();
    const { items, next, failed } = listing.page();
    if (failed.length > 0 && this.#lessons.pages === 0) {
      this.#giveLastWord();
      return;
    }
    const cursor = next === undefined ? "" : encodeCursor(this.#route, next);
    // A project's own token beyond reason: better none of the page than a list that ends without a word.
    if (cursor === undefined) this.#answerOwn("upstream-broken", "broken", undefined);
    else this.#lessons.teach(this.#service.affinity.resources, () => this.#answer(items, cursor));
  }

  #answer(items: Parameters<typeof writeListPage>[1], cursor: string): void {
    if (this.#hasEnded) return;
    const body = writeListPage(this.#route, items, cursor);
    this.#reply.whole({ status: 200, rawHeaders: JSON_HEADERS, body });
    this.#end("served", 200, this.#misses.size === 0 ? "" : "projects-left-out");
  }

  /** No project answered. */
  #giveLastWord(): void {
    const { last, denial } = missToTell([...this.#misses.values()]);
    const outcome: RowOutcome = last?.outcome.kind ?? "denied";
    const final = finalAnswer(last, denial, [], this.#service.now());
    if (final.kind === "own") {
      this.#answerOwn(final.code, outcome, final.retryAfterMs);
      return;
    }
    this.#reply.passOn(final.answer, final.retryAfterMs);
    this.#end(outcome, final.answer.status, "");
  }

  #refuse(code: ErrorCode): void {
    this.#answerOwn(code, code === "pool-empty" ? "denied" : "refused", undefined);
  }

  #answerOwn(code: ErrorCode, outcome: RowOutcome, retryAfterMs: number | undefined): void {
    const status = this.#reply.own(code, retryAfterMs, false);
    this.#end(outcome, status, code);
  }

  get clientHeaders(): ClientHeaders {
    return this.#service.clientHeaders;
  }

  extraHeaders(): readonly string[] {
    const { caller, extraHeaders } = this.#admission;
    const headers = [...extraHeaders];
    if (this.#misses.size > 0) headers.push(...leftOutHeader(this.#misses, this.#projects));
    if (caller.authenticated && headerOf(this.#call.rawHeaders, "x-gateway-debug") !== undefined)
      headers.push("x-gateway-attempts", attemptsHeader(this.#notes));
    return headers;
  }

  clientDrained(): void {}

  clientLeft(): void {
    if (this.#hasEnded) return;
    for (const fetch of this.#running) fetch.abandon();
    this.#running.clear();
    this.#end("caller-left", 499, "");
  }

  #end(outcome: RowOutcome, status: number, reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { caller, startedAtMs, requestId, route, address } = this.#admission;
    this.#service.guard.leave(caller, 0);
    this.#service.ended(
      rowOf({
        atMs: this.#service.now(),
        startedAtMs,
        firstByteAtMs: this.#reply.firstByteAtMs,
        requestId,
        method: this.#call.method,
        path: route.upstreamPath,
        model: "",
        status,
        outcome,
        reason,
        notes: this.#notes,
        bytesIn: 0,
        bytesOut: this.#reply.bytes,
        usage: undefined,
        client: caller.name,
        address,
      }),
    );
  }
}
