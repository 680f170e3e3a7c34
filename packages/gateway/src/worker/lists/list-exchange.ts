/**
 * A request for a list, from its admission to its end: asks the primary which projects there are, each of those that the
 * page needs for a page of its own, and answers with the union. Worker threads. What is a list, how pages are laid side
 * by side and where the next begins is decided in the gemini package.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { pageAfter, readListPage, writeListPage } from "@gemini-gateway/gemini/resources/list-body";
import { decodeCursor, encodeCursor, type ListPosition } from "@gemini-gateway/gemini/resources/list-cursor";
import { listQuery, type ListRequest } from "@gemini-gateway/gemini/resources/list-request";
import type { ListRoute } from "@gemini-gateway/gemini/resources/list-route";
import { UnionListing } from "@gemini-gateway/gemini/resources/union-listing";
import type { ListedProject, ProjectsTold } from "../../affinity/project-messages.ts";
import type { Admission } from "../admission.ts";
import type { ClientCall, ClientWatcher } from "../client/client-call.ts";
import { unpacked, type KeptAnswer } from "../kept-answer.ts";
import type { AttemptNote } from "../request-record.ts";
import type { Service } from "../service.ts";
import { ListLessons } from "./list-lessons.ts";
import { ListReply } from "./list-reply.ts";
import { type Miss, type NamedMiss, noList } from "./misses.ts";
import { ProjectFetch, type FetchListener } from "./project-fetch.ts";

/** Projects asked at a time for one page: what is asked ahead may be in vain. */
const AT_ONCE = 4;

/** Which list, and what of it. */
export interface AskedList {
  readonly route: ListRoute;
  readonly request: ListRequest;
}

export class ListExchange implements FetchListener, ClientWatcher {
  readonly #service: Service;
  readonly #call: ClientCall;
  readonly #admission: Admission;
  readonly #route: ListRoute;
  readonly #request: ListRequest;
  readonly #reply: ListReply;
  readonly #projects = new Map<string, ListedProject>();
  readonly #running = new Set<ProjectFetch>();
  readonly #misses: NamedMiss[] = [];
  readonly #lessons: ListLessons;
  #listing: UnionListing | undefined;

  constructor(service: Service, call: ClientCall, admission: Admission, asked: AskedList) {
    this.#service = service;
    this.#call = call;
    this.#admission = admission;
    this.#route = asked.route;
    this.#request = asked.request;
    this.#reply = new ListReply(service, call, admission);
    this.#lessons = new ListLessons(admission.route.below, service.now);
  }

  begin(): void {
    this.#service.begun();
    this.#call.watch(this);
    this.#call.discardBody();
    const { token } = this.#request;
    const { collection, dialect } = this.#route;
    if (token === "" || dialect.nextField === undefined) {
      const ownerOf = token === "" ? "" : this.#lessons.nameOf(collection, token);
      this.#ask("", ownerOf, undefined);
      return;
    }
    const decoded = decodeCursor(this.#route, token);
    if (decoded.kind === "refused") this.#reply.own("unknown-page", "refused");
    else this.#ask(decoded.position.project, "", decoded.position);
  }

  #ask(from: string, ownerOf: string, position: ListPosition | undefined): void {
    const { collection } = this.#route;
    this.#service.projects.ask({ collection, from, ownerOf }, (told) => this.#told(told, position));
  }

  #told({ projects, owner, isEmptyPool }: ProjectsTold, position: ListPosition | undefined): void {
    if (this.#reply.hasEnded) return;
    if (isEmptyPool) return this.#reply.own("pool-empty", "denied");
    const { token, size } = this.#request;
    const isAfterItem = token !== "" && position === undefined;
    if (isAfterItem && owner === undefined) return this.#reply.own("unknown-page", "refused");
    for (const project of projects) this.#projects.set(project.id, project);
    const begin = owner === undefined ? position : { project: owner, pageToken: token, skip: 0 };
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
        onlyProjectOf: keyId,
        path: `${path}?${query}`,
        pageToken,
        rawHeaders: this.#service.affinity.withoutSession(this.#call.rawHeaders),
        waitUntilMs: startedAtMs + this.#service.config.lease.maxWaitMs,
      },
      this,
    );
    this.#running.add(fetch);
    fetch.begin();
  }

  noted(note: AttemptNote): void {
    this.#reply.notes.push(note);
  }

  fetched(fetch: ProjectFetch, keyId: KeyId, answer: KeptAnswer): void {
    const listing = this.#listing;
    if (this.#reply.hasEnded || listing === undefined) return;
    const body = unpacked(answer);
    const page = readListPage(this.#route, body);
    if (page === undefined) {
      this.missed(fetch, { last: { outcome: noList(answer.status), kept: undefined }, denial: undefined });
      return;
    }
    this.#running.delete(fetch);
    this.#lessons.take(keyId, body);
    listing.take(fetch.project, pageAfter(this.#route, page, fetch.pageToken));
    this.#go(listing);
  }

  missed(fetch: ProjectFetch, miss: Miss): void {
    this.#running.delete(fetch);
    const listing = this.#listing;
    if (this.#reply.hasEnded || listing === undefined) return;
    const { fingerprint = "" } = this.#projects.get(fetch.project) ?? {};
    this.#misses.push({ ...miss, fingerprint });
    listing.fail(fetch.project);
    this.#go(listing);
  }

  #finish(listing: UnionListing): void {
    this.#abandon();
    const { items, next } = listing.page();
    if (this.#misses.length > 0 && this.#lessons.pages === 0) return this.#reply.lastWord(this.#misses);
    const cursor = next === undefined ? "" : encodeCursor(this.#route, next);
    // A project's own token beyond reason: better none of the page than a list that ends without a word.
    if (cursor === undefined) return this.#reply.own("upstream-broken", "broken");
    const body = writeListPage(this.#route, items, cursor);
    this.#lessons.teach(this.#service.affinity.resources, () => this.#reply.list(body, this.#misses));
  }

  #abandon(): void {
    for (const fetch of this.#running) fetch.abandon();
    this.#running.clear();
  }

  clientDrained(): void {}

  clientLeft(): void {
    if (this.#reply.hasEnded) return;
    this.#abandon();
    this.#reply.left();
  }
}
