import { expect, test } from "vitest";
import { formatTable } from "./table.ts";

test("columns are as wide as their widest cell, and lines end without spaces", () => {
  expect(
    formatTable(
      ["A", "LONG HEAD"],
      [
        ["wide cell", "x"],
        ["y", ""],
      ],
    ),
  ).toBe(["A          LONG HEAD", "wide cell  x", "y"].join("\n"));
});

test("what comes from outside can neither command the terminal nor break the table", () => {
  const text = formatTable(["A"], [["\u001B[31mred\u0007\nnext\u009B"], ["x".repeat(5_000)]]);
  expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  expect(text.split("\n")).toHaveLength(3);
  expect(text.length).toBeLessThan(400);
});
