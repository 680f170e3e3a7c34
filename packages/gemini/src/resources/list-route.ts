/**
 * Lists that the gateway answers as the union over its projects: what belongs to one project is listed by that project
 * alone. Pure; runs on the HTTP workers. What lies below a root (documents of a store, executions of a trigger) is no
 * such list: its owner answers it.
 *
 * Sources: list methods of @google/genai 3.1.0 and openai 7, Google's reference for sizes of pages.
 */

/** How pages are asked for and told of. */
export interface ListDialect {
  readonly name: "native" | "interactions" | "openai";
  /** Parameters of a request for a page, the usual spelling first: Google takes both. */
  readonly sizeParameters: readonly [string, ...string[]];
  /** What says where the page begins: a token, or with OpenAI the id of the item before it. */
  readonly tokenParameters: readonly [string, ...string[]];
  /** Field of the answer with the token of the next page; undefined with OpenAI, see `has_more`. */
  readonly nextField: string | undefined;
  /** Field of an item that names it. */
  readonly idField: "name" | "id";
}

export interface ListRoute {
  readonly dialect: ListDialect;
  /** What is listed, such as `files`; with the dialect's name it says which list a cursor is of. */
  readonly collection: string;
  /** Field of the answer that holds the items. */
  readonly itemsField: string;
  /** Items in a page when the caller names no number, and the most there may be. */
  readonly sizeDefault: number;
  readonly sizeMax: number;
}

const NATIVE: ListDialect = {
  name: "native",
  sizeParameters: ["pageSize", "page_size"],
  tokenParameters: ["pageToken", "page_token"],
  nextField: "nextPageToken",
  idField: "name",
};

const INTERACTIONS: ListDialect = {
  name: "interactions",
  sizeParameters: ["page_size", "pageSize"],
  tokenParameters: ["page_token", "pageToken"],
  nextField: "next_page_token",
  idField: "id",
};

const OPENAI: ListDialect = {
  name: "openai",
  sizeParameters: ["limit"],
  tokenParameters: ["after"],
  nextField: undefined,
  idField: "id",
};

function route(
  dialect: ListDialect,
  collection: string,
  sizeDefault: number,
  sizeMax: number,
  itemsField = dialect === OPENAI ? "data" : collection,
): readonly [path: string, route: ListRoute] {
  const path = dialect === OPENAI ? `/openai/${collection}` : `/${collection}`;
  return [path, { dialect, collection, itemsField, sizeDefault, sizeMax }];
}

/** By path below the version. Sizes where the documents give none are 50 and 100. */
const LISTS: ReadonlyMap<string, ListRoute> = new Map([
  route(NATIVE, "files", 10, 100),
  route(NATIVE, "generatedFiles", 10, 50),
  route(NATIVE, "cachedContents", 50, 1000),
  route(NATIVE, "batches", 50, 100, "operations"),
  route(NATIVE, "operations", 50, 100),
  route(NATIVE, "fileSearchStores", 10, 20),
  route(NATIVE, "tunedModels", 10, 1000),
  route(NATIVE, "corpora", 10, 20),
  route(INTERACTIONS, "agents", 50, 100),
  route(INTERACTIONS, "environments", 50, 100),
  route(INTERACTIONS, "credentials", 50, 100),
  route(INTERACTIONS, "triggers", 50, 100),
  route(INTERACTIONS, "voices", 50, 1000),
  route(INTERACTIONS, "webhooks", 50, 1000),
  route(OPENAI, "files", 20, 100),
  route(OPENAI, "batches", 20, 100),
]);

/** @param below decoded path below the version. */
export function listRouteOf(method: string, below: string): ListRoute | undefined {
  return method === "GET"
    ? LISTS.get(below.length > 1 && below.endsWith("/") ? below.slice(0, -1) : below)
    : undefined;
}

/** Whether every project lists the item: a prebuilt voice. It is taken from one of them only. */
export function isInEveryProject(
  { collection }: ListRoute,
  item: Readonly<Record<string, unknown>>,
): boolean {
  return collection === "voices" && item["type"] === "prebuilt";
}
