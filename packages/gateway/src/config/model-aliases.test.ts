import { expect, it } from "vitest";
import { ALIAS_ITEM, aliasesOf } from "./model-aliases.ts";

it.each(["gpt-4o-mini=gemini-3.8-flash", "openai/gpt-4o=gemini-4-argon", "llama3:8b=gemma-4-31b-it"])(
  "takes %s",
  (item) => {
    const [alias = "", model] = item.split("=");
    expect([ALIAS_ITEM.test(item), aliasesOf([item]).get(alias)]).toEqual([true, model]);
  },
);

it.each(["gpt-4o", "=gemini", "gpt=", "a b=c", "a=b=c", "a=models/b", "/a=b", `${"a".repeat(101)}=b`])(
  "takes no %s",
  (item) => {
    expect(ALIAS_ITEM.test(item)).toBe(false);
  },
);

it("believes the last of two items for one alias", () => {
  expect(aliasesOf(["a=b", "c=d", "a=e"])).toEqual(
    new Map([
      ["a", "e"],
      ["c", "d"],
    ]),
  );
});
