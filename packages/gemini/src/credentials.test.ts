import * as fc from "fast-check";
import { expect, it } from "vitest";
import { clientCredentials, CREDENTIALS_MAX } from "./credentials.ts";

it.each([
  [["X-Goog-Api-Key", " test-key-1 "], "/v1/models", ["test-key-1"]],
  [["authorization", "Bearer test-key-1"], "/v1/models", ["test-key-1"]],
  [["Authorization", "bearer   test-key-1"], "/v1/models", ["test-key-1"]],
  [["authorization", "Token auth_tokens/t1"], "/v1/models", ["auth_tokens/t1"]],
  [[], "/v1/models?alt=sse&key=test%2Dkey%2B1", ["test-key+1"]],
  [[], "/v1/models?access_token=auth_tokens%2Ft1", ["auth_tokens/t1"]],
  [[], "/v1/models?alt=sse?key=test-key-1", ["test-key-1"]],
  [[], "/v1/models?key=%zz", ["%zz"]],
])("%j %s", (headers, url, expected) => {
  expect(clientCredentials(headers, url)).toEqual(expected);
});

it("tells two equal credentials once, and different ones in order", () => {
  const headers = ["authorization", "Bearer test-key-1", "x-goog-api-key", "test-key-1"];
  expect(clientCredentials(headers, "/v1/models?key=test-key-2")).toEqual(["test-key-1", "test-key-2"]);
});

it("takes nothing empty and no other scheme for a credential", () => {
  const headers = ["authorization", "Basic dTpw", "x-goog-api-key", "", "authorization", "Bearer "];
  expect(clientCredentials(headers, "/v1/models?key=&keys=1")).toEqual([]);
});

it("stops at the bound, and never throws", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (headers, url) => {
      expect(clientCredentials(headers, url).length).toBeLessThanOrEqual(CREDENTIALS_MAX);
    }),
  );
  const many = Array.from({ length: 100 }, (_, index) => `key=k${index}`).join("&");
  expect(clientCredentials([], `/?${many}`)).toHaveLength(CREDENTIALS_MAX);
});
