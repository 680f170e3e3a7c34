/**
 * Routes found before, by method and target: clients ask for the same few things again and again. Worker threads.
 * Never keeps a target that may hold a secret, and never more than {@link ROUTES_MAX}.
 */
import type { ModelAliases } from "@gemini-gateway/gemini/resources/model-alias";
import { routeRequest, type Route } from "@gemini-gateway/gemini/route";
import { targetWithoutAlias } from "./model-aliases.ts";

/** Targets remembered; at one more all are forgotten. */
const ROUTES_MAX = 1024;
/** Longest target remembered, characters. */
const TARGET_LENGTH_MAX = 200;
/** The one query that is remembered: in any other there may be a credential. */
const STREAM_QUERY = "?alt=sse";

export class RouteMemory {
  readonly #pathPrefix: string;
  readonly #aliases: ModelAliases;
  /** By method, then by target: one key made of both would be a new text for each request. */
  readonly #routes = new Map<string, Map<string, Route>>();
  #count = 0;

  constructor(pathPrefix: string, aliases: ModelAliases) {
    this.#aliases = aliases;
    this.#pathPrefix = pathPrefix;
  }

  /** Below the path prefix, or without it: a reverse proxy in front may take it off. */
  routeOf(method: string, target: string): Route | undefined {
    const known = this.#routes.get(method)?.get(target);
    if (known !== undefined) return known;
    const route = this.#find(method, target);
    if (route !== undefined && isWorthKeeping(target)) this.#keep(method, target, route);
    return route;
  }

  #keep(method: string, target: string, route: Route): void {
    if (this.#count >= ROUTES_MAX) {
      this.#routes.clear();
      this.#count = 0;
    }
    const routes = this.#routes.get(method) ?? new Map<string, Route>();
    this.#routes.set(method, routes.set(target, route));
    this.#count += 1;
  }

  #find(method: string, asSent: string): Route | undefined {
    const target = targetWithoutAlias(this.#aliases, asSent);
    const route = routeRequest(method, target, { pathPrefix: this.#pathPrefix });
    return route === undefined && this.#pathPrefix !== "" ? routeRequest(method, target) : route;
  }
}

function isWorthKeeping(target: string): boolean {
  if (target.length > TARGET_LENGTH_MAX) return false;
  const queryAt = target.indexOf("?");
  return queryAt < 0 || target.slice(queryAt) === STREAM_QUERY;
}
