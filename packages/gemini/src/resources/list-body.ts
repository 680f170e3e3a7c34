/** Pages of lists as JSON: one project's read, the union's written. Pure; runs on the HTTP workers. */
import { type Fields, fieldsIn, isFields, textOf } from "../json-fields.ts";
import { isInEveryProject, type ListRoute } from "./list-route.ts";

/** One project's page. */
export interface ListPage {
  readonly items: readonly Fields[];
  /** The project's token of its next page; "" when this was its last. */
  readonly nextToken: string;
}

function nextTokenOf(route: ListRoute, answer: Fields, items: readonly Fields[]): string {
  const { nextField, idField } = route.dialect;
  if (nextField !== undefined) return textOf(answer[nextField]);
  return answer["has_more"] === true ? textOf(items.at(-1)?.[idField]) : "";
}

/** Reads a project's answer; undefined when it is no list. An empty list has no array at all. Never throws. */
export function readListPage(route: ListRoute, body: Buffer): ListPage | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString("utf8"));
    if (!isFields(answer)) return undefined;
    const items = fieldsIn(answer[route.itemsField]);
    return { items, nextToken: nextTokenOf(route, answer, items) };
  } catch {
    return undefined;
  }
}

/**
 * The page without what stands before and at the item it was asked to follow: OpenAI's parameter, which Google may pass
 * over. The same page where tokens are asked with.
 */
export function pageAfter(route: ListRoute, page: ListPage, after: string): ListPage {
  const { nextField, idField } = route.dialect;
  if (nextField !== undefined || after === "") return page;
  const at = page.items.findIndex((item) => item[idField] === after);
  return at < 0 ? page : { ...page, items: page.items.slice(at + 1) };
}

/** The items that only this project lists. */
export function itemsOfItsOwn(route: ListRoute, items: readonly Fields[]): readonly Fields[] {
  return items.filter((item) => !isInEveryProject(route, item));
}

/**
 * The union's page as Google would write it.
 * @param nextToken token of the next page; "" for none. With OpenAI only whether there is one matters.
 */
export function writeListPage(route: ListRoute, items: readonly Fields[], nextToken: string): Buffer {
  const { nextField, idField } = route.dialect;
  const page =
    nextField === undefined
      ? {
          object: "list",
          [route.itemsField]: items,
          first_id: items[0]?.[idField] ?? null,
          last_id: items.at(-1)?.[idField] ?? null,
          has_more: nextToken !== "",
        }
      : {
          ...(items.length > 0 && { [route.itemsField]: items }),
          ...(nextToken !== "" && { [nextField]: nextToken }),
        };
  return Buffer.from(`${JSON.stringify(page, undefined, 2)}\n`);
}
