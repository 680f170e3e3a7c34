import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { liveRouteOf, liveTokenOf, pathWithToken } from "./live-route.ts";

const SERVICE = "/ws/google.ai.generativelanguage";
const CONTENT = "GenerativeService.BidiGenerateContent";

describe("knows the paths of the Live API", () => {
  it.each([
    ["/", "", "v1", "v1"],
    ["", "", "v1beta", "v1beta"],
    ["", "/gw", "v1alpha", "v1alpha"],
    ["/gw/", "/gw", "v1", "v1"],
  ])("behind %j with the prefix %j: %s", (before, prefix, version) => {
    const path = `${SERVICE}.${version}.${CONTENT}`;
    const url = prefix === "" ? `${before}${path}` : `${before === "" ? prefix : before}${path}`;
    expect(liveRouteOf(`${url}?key=secret&alt=x`, prefix)).toEqual({
      version,
      operation: "bidiGenerateContent",
      isConstrained: false,
      upstreamPath: `${path}?alt=x`,
    });
  });

  it("each method, also one that is not known yet", () => {
    const routeOf = (method: string): object | undefined =>
      liveRouteOf(`${SERVICE}.v1beta.GenerativeService.${method}`);
    expect(routeOf("BidiGenerateMusic")).toMatchObject({ operation: "bidiGenerateMusic" });
    expect(routeOf("BidiGenerateContentConstrained")).toMatchObject({
      operation: "bidiGenerateContent",
      isConstrained: true,
    });
    expect(routeOf("BidiDance")).toMatchObject({ operation: "bidi.other" });
  });

  it.each([
    "/v1beta/models/m:generateContent",
    `${SERVICE}.v2.${CONTENT}`,
    `${SERVICE}.v1.${CONTENT}/x`,
    `${SERVICE}.v1.GenerativeService.GenerateContent`,
    `/x${SERVICE}.v1.${CONTENT}`,
    `${SERVICE}.v1.GenerativeService.Bidi..%2f`,
  ])("and not %s", (url) => {
    expect(liveRouteOf(url)).toBeUndefined();
  });

  it("without ever throwing, whatever it is given", () => {
    const urls = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.webPath());
    fc.assert(
      fc.property(urls, fc.string(), (start, end) => {
        expect(liveRouteOf(`/${start}`)).toBeUndefined();
        expect(() => liveRouteOf(`${SERVICE}.v1.${CONTENT}${end}`)).not.toThrow();
      }),
    );
  });
});

describe("finds an ephemeral token", () => {
  const path = `${SERVICE}.v1alpha.${CONTENT}Constrained`;
  const route = liveRouteOf(path) as NonNullable<ReturnType<typeof liveRouteOf>>;

  it("in the query, and puts it back as it was", () => {
    const token = liveTokenOf(route, [], `${path}?a=b&access_token=auth_tokens%2Fx`);
    expect(token).toEqual({ form: "query", value: "auth_tokens%2Fx" });
    expect(pathWithToken(route, token)).toBe(`${path}?access_token=auth_tokens%2Fx`);
  });

  it("in the header", () => {
    const token = liveTokenOf(route, ["Authorization", "Token auth_tokens/x"], path);
    expect(token).toEqual({ form: "header", value: "auth_tokens/x" });
    expect(pathWithToken(route, token)).toBe(path);
  });

  it("nowhere else, and no other credential for one", () => {
    const plain = { ...route, isConstrained: false };
    expect(liveTokenOf(plain, [], `${path}?access_token=auth_tokens/x`)).toBeUndefined();
    expect(liveTokenOf(route, ["authorization", "Bearer auth_tokens/x"], `${path}?key=k`)).toBeUndefined();
    expect(liveTokenOf(route, [], `${path}?access_token=ya29.x`)).toBeUndefined();
  });
});
