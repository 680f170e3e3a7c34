import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { systemReason } from "./system-reason.ts";

test("says what the system's code means, and nothing of its message", () => {
  const reasonOf = (read: () => unknown): string => {
    try {
      read();
    } catch (error) {
      return systemReason(error);
    }
    return "";
  };
  expect(reasonOf(() => readFileSync("/missing/secret-name"))).toBe("(ENOENT): it does not exist");
  expect(reasonOf(() => readFileSync("/"))).toBe("(EISDIR): it is a folder");
  expect(systemReason(Object.assign(new Error("secret"), { code: "EIO" }))).toBe("(EIO)");
  expect(systemReason(new Error("secret"))).toBe("(unknown error)");
});
