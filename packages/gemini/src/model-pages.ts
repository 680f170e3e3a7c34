/**
 * Pages of the model list, cut by the gateway itself. Google's page tokens mean something to one project only, and the
 * next page may be asked for with another project's key. The whole list fits into one of Google's pages, so it is
 * always fetched whole, and a token of ours names the last model shown: it holds for every key and needs no memory.
 * Runs on the HTTP workers, once per listing. Must leave alone what it does not understand: the upstream judges it.
 */
import { decodeLeniently, queryParameters } from "./query-string.ts";
import type { Route } from "./route.ts";

/** The page a caller asked for. */
export interface ModelPage {
  /** Most models in it, 1..{@link PAGE_SIZE_MAX}. */
  readonly size: number;
  /** Undefined for the first page. */
  readonly after: PageMark | undefined;
  /** Path and query that fetch the whole list. */
  readonly upstreamPath: string;
}

/** Where the page before ended. */
interface PageMark {
  /** Models shown so far: where to go on if this project's list does not know the name. */
  readonly shown: number;
  /** Name of the last model shown, with `models/`. */
  readonly name: string;
}

/** As documented for `models.list`. */
const PAGE_SIZE_DEFAULT = 50;
const PAGE_SIZE_MAX = 1000;
/** Longest token that can be ours, characters: a model's name in base64 and some digits. */
const TOKEN_LENGTH_MAX = 400;
/** Parameters that make the answer something else than the documented JSON. */
const RESHAPING = new Set(["alt", "$alt", "fields", "$fields", "callback", "$callback"]);

/** The page a request asks for; undefined when it lists no models or asks in a way that is the upstream's to judge. */
export function modelPageOf({
  operation,
  upstreamPath,
}: Pick<Route, "operation" | "upstreamPath">): ModelPage | undefined {
  if (operation !== "models.list") return undefined;
  const queryAt = upstreamPath.indexOf("?");
  const kept: string[] = [];
  let sizeText = "";
  let token = "";
  for (const { name: rawName, value } of queryAt < 0
    ? []
    : queryParameters(upstreamPath.slice(queryAt + 1))) {
    const name = decodeLeniently(rawName);
    if (RESHAPING.has(name)) return undefined;
    if (name === "pageSize" || name === "page_size") sizeText = value;
    else if (name === "pageToken" || name === "page_token") token = decodeLeniently(value);
    else if (rawName !== "") kept.push(`${rawName}=${value}`);
  }
  const size = sizeOf(sizeText);
  const after = token === "" ? undefined : markOf(token);
  if (size === undefined || (token !== "" && after === undefined)) return undefined;
  const path = queryAt < 0 ? upstreamPath : upstreamPath.slice(0, queryAt);
  return { size, after, upstreamPath: `${path}?${[...kept, `pageSize=${PAGE_SIZE_MAX}`].join("&")}` };
}

function sizeOf(text: string): number | undefined {
  if (text !== "" && !/^\d{1,9}$/.test(text)) return undefined;
  const size = Number(text);
  return size === 0 ? PAGE_SIZE_DEFAULT : Math.min(size, PAGE_SIZE_MAX);
}

function tokenOf(mark: PageMark): string {
  return Buffer.from(JSON.stringify([mark.shown, mark.name])).toString("base64url");
}

/** Reads a token of ours; undefined for any other text. */
function markOf(token: string): PageMark | undefined {
  if (token.length > TOKEN_LENGTH_MAX) return undefined;
  const [, shown, name] =
    /^\[(\d{1,6}),"(models\/[^"\\]+)"\]$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  return shown === undefined || name === undefined ? undefined : { shown: Number(shown), name };
}

/**
 * Cuts the page out of the whole list.
 * @param body the upstream's answer to {@link ModelPage.upstreamPath}.
 * @returns undefined when the answer is the page already, or no list: it goes out byte for byte. Never throws.
 */
export function cutModelPage(body: Buffer, { size, after }: ModelPage): Buffer | undefined {
  const list = parseList(body);
  if (list === undefined) return undefined;
  const { models, nextPageToken } = list;
  const start = startOf(models, after);
  const end = start + size;
  if (start === 0 && end >= models.length) return undefined;
  const next = end < models.length ? tokenOf({ shown: end, name: nameOf(models[end - 1]) }) : nextPageToken;
  const page = { models: models.slice(start, end), ...(next !== undefined && { nextPageToken: next }) };
  return Buffer.from(`${JSON.stringify(page, undefined, 2)}\n`);
}

function startOf(models: readonly unknown[], after: PageMark | undefined): number {
  if (after === undefined) return 0;
  const lastShownAt = models.findIndex((model) => nameOf(model) === after.name);
  return lastShownAt < 0 ? after.shown : lastShownAt + 1;
}

function nameOf(model: unknown): string {
  const name = typeof model === "object" && model !== null && "name" in model ? model.name : undefined;
  return typeof name === "string" ? name : "";
}

interface ModelList {
  readonly models: readonly unknown[];
  /** Google's own, should it ever know more models than fit one page. */
  readonly nextPageToken: string | undefined;
}

function parseList(body: Buffer): ModelList | undefined {
  try {
    const { models, nextPageToken } = JSON.parse(body.toString("utf8")) as {
      models?: unknown;
      nextPageToken?: unknown;
    };
    if (!Array.isArray(models)) return undefined;
    return { models, nextPageToken: typeof nextPageToken === "string" ? nextPageToken : undefined };
  } catch {
    return undefined;
  }
}
