import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { ANONYMOUS, Authenticator } from "./auth.ts";

const asked = (secret: string): string[] => ["x-goog-api-key", secret];

it("forgets whom it recognised when auth keys or clients change", () => {
  const authenticator = new Authenticator([{ name: "app", secret: "test-secret-1" }]);
  for (let round = 0; round < 2; round += 1) {
    expect(authenticator.identify(asked("test-secret-1"), "/").name).toBe("app");
  }
  authenticator.setAuthKeys([{ name: "other", secret: "test-secret-2" }]);
  expect(authenticator.identify(asked("test-secret-1"), "/")).toBe(ANONYMOUS);
  expect(authenticator.identify(asked("test-secret-2"), "/").name).toBe("other");

  const digest = createHash("sha256").update("test-secret-3").digest("hex");
  const client = { name: "named", digest } as Parameters<Authenticator["setClients"]>[0][number];
  authenticator.setClients([client]);
  for (let round = 0; round < 2; round += 1) {
    expect(authenticator.identify(asked("test-secret-3"), "/").name).toBe("named");
  }
  authenticator.setClients([]);
  expect(authenticator.identify(asked("test-secret-3"), "/")).toBe(ANONYMOUS);
  expect(authenticator.identify(asked("test-secret-2"), "/").name).toBe("other");
});
