/**
 * What a request for a list asks for, and how it is asked of one project. Pure; runs on the HTTP workers.
 * Must leave alone what would make the answer another than the documented JSON: such a list is one project's.
 */
import { decodeLeniently, queryParameters } from "../query-string.ts";
import type { ListRoute } from "./list-route.ts";

export interface ListRequest {
  /** Items wanted, 1 to the route's most. */
  readonly size: number;
  /** The token, or with OpenAI the id of the item before; "" for the first page. */
  readonly token: string;
  /** Everything else in the query (filters, order), as it came. */
  readonly rest: string;
}

/** Parameters that mask, wrap or reshape the answer. */
const RESHAPING: ReadonlySet<string> = new Set(["alt", "$alt", "fields", "$fields", "callback", "$callback"]);

function sizeOf(text: string, { sizeDefault, sizeMax }: ListRoute): number | undefined {
  if (text === "") return sizeDefault;
  if (!/^\d{1,9}$/.test(text)) return undefined;
  const size = Number(text);
  return size === 0 ? sizeDefault : Math.min(size, sizeMax);
}

/**
 * @param query without `?` and without credentials.
 * @returns undefined for a list that one project has to answer, or to refuse: reshaped, or with a size that is none.
 */
export function readListRequest(route: ListRoute, query: string): ListRequest | undefined {
  const { sizeParameters, tokenParameters } = route.dialect;
  const kept: string[] = [];
  let sizeText = "";
  let token = "";
  for (const { name: rawName, value } of queryParameters(query)) {
    const name = decodeLeniently(rawName);
    if (RESHAPING.has(name) && !(name.endsWith("alt") && value === "json")) return undefined;
    if (sizeParameters.includes(name)) sizeText = value;
    else if (tokenParameters.includes(name)) token = decodeLeniently(value);
    else if (rawName !== "") kept.push(`${rawName}=${value}`);
  }
  const size = sizeOf(sizeText, route);
  return size === undefined ? undefined : { size, token, rest: kept.join("&") };
}

/** The query, without `?`, that asks one project for a page of its own. */
export function listQuery(route: ListRoute, rest: string, pageSize: number, pageToken: string): string {
  const { sizeParameters, tokenParameters } = route.dialect;
  const parameters = rest === "" ? [] : [rest];
  parameters.push(`${sizeParameters[0]}=${pageSize}`);
  if (pageToken !== "") parameters.push(`${tokenParameters[0]}=${encodeURIComponent(pageToken)}`);
  return parameters.join("&");
}
