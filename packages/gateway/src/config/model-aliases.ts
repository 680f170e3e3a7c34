/** Aliases of models as operators write them: `ALIAS=MODEL`. Pure; any thread may run it. */

/** One item of the option. An alias may look like other vendors' names (`openai/gpt-4o`, `llama3:8b`). */
export const ALIAS_ITEM = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}=[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Models by alias. Of two items for one alias the last holds. Takes only what {@link ALIAS_ITEM} matches. */
export function aliasesOf(items: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    items.map((item): [string, string] => {
      const equalsAt = item.indexOf("=");
      return [item.slice(0, equalsAt), item.slice(equalsAt + 1)];
    }),
  );
}
