import { expect, it } from "vitest";
import { ownAnswer } from "./own-answer.ts";

function retryAfterOf(headers: readonly string[]): string | undefined {
  return headers[headers.indexOf("retry-after") + 1];
}

it("tells one moment in text, body and header, however far away it is", () => {
  const { body, headers } = ownAnswer("owner-quota", "native", 92_411_500, ["files/abc"]);
  expect(retryAfterOf(headers)).toBe("90000");
  expect(body).toContain("It may work in 90000 s.");
  expect(body).toContain('"retryDelay": "90000s"');
});

it("rounds up to whole seconds, and says nothing where nothing is known", () => {
  expect(retryAfterOf(ownAnswer("owner-quota", "native", 1_001).headers)).toBe("2");
  expect(ownAnswer("owner-quota", "native").headers).not.toContain("retry-after");
});
