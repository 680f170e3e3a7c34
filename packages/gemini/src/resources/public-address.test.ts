import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownAddressEdits, withEdits } from "./body-edits.ts";
import { readAddress } from "./file-address.ts";
import { aliasEdits, modelForAlias, pathWithoutAlias } from "./model-alias.ts";
import { resourcesOfQuery } from "./path-resource.ts";
import { uploadAddress, withPublicAddresses } from "./public-address.ts";
import { readBody } from "./read-body.ts";

const GOOGLE = "https://generativelanguage.googleapis.com";
const BASE = "https://gateway.example/gw";

describe("upload URLs", () => {
  const path =
    "/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore?upload_id=AOCed&upload_protocol=resumable";

  it("become the gateway's, prefix, path and query kept", () => {
    const address = uploadAddress(GOOGLE + path, BASE, GOOGLE);
    expect(address).toMatchObject({ publicUrl: BASE + path, upstreamOrigin: GOOGLE });
    expect(resourcesOfQuery(path.split("?")[1] ?? "")).toEqual([address?.upload]);
  });

  it("remember another host, and take a relative one", () => {
    expect(uploadAddress(`http://uploads.test:81${path}`, BASE, GOOGLE)?.upstreamOrigin).toBe(
      "http://uploads.test:81",
    );
    expect(uploadAddress(path, BASE, GOOGLE)).toMatchObject({
      publicUrl: BASE + path,
      upstreamOrigin: GOOGLE,
    });
  });

  it.each(["", "javascript:alert(1)?upload_id=x", `${GOOGLE}/upload/v1beta/files`, "https://["])(
    "%s is none",
    (url) => {
      expect(uploadAddress(url, BASE, GOOGLE)).toBeUndefined();
    },
  );
});

describe("addresses of files", () => {
  const files = {
    files: [
      {
        name: "files/a",
        uri: `${GOOGLE}/v1beta/files/a`,
        downloadUri: `${GOOGLE}/v1beta/files/a:download?alt=media`,
      },
      {
        name: "files/b",
        displayName: `"uri": "${GOOGLE}/v1beta/files/no"`,
        note: `${GOOGLE}/v1beta/files/no`,
      },
    ],
  };

  it.each([0, 2])(
    "become the gateway's in an answer and Google's again in a request (indent %i)",
    (indent) => {
      const answer = Buffer.from(JSON.stringify(files, undefined, indent));
      const shown = withPublicAddresses(answer, GOOGLE, BASE);
      expect(JSON.parse(shown.toString())).toEqual({
        files: [
          {
            name: "files/a",
            uri: `${BASE}/v1beta/files/a`,
            downloadUri: `${BASE}/v1beta/files/a:download?alt=media`,
          },
          files.files[1],
        ],
      });
      const back = `{"contents":[{"parts":[{"file_data":{"file_uri":"https:\\/\\/GATEWAY.example\\/gw\\/v1beta\\/files\\/a" }}]}]}`;
      const reading = readBody(Buffer.from(back), [BASE]);
      const sent = withEdits(Buffer.from(back), ownAddressEdits(reading, GOOGLE) ?? []);
      expect(sent.toString()).toBe(
        `{"contents":[{"parts":[{"file_data":{"file_uri":"${GOOGLE}/v1beta/files/a" }}]}]}`,
      );
    },
  );

  it("stay where there is nothing to change", () => {
    const answer = Buffer.from(JSON.stringify({ text: `${GOOGLE}/v1beta/files/a` }));
    expect(withPublicAddresses(answer, GOOGLE, BASE)).toBe(answer);
  });

  it.each<[string, string | undefined]>([
    [`${GOOGLE}/v1beta/files/a`, "files/a"],
    [`${GOOGLE}//v1/files/a?x=1`, "files/a"],
    [`${GOOGLE}/download/v1beta/files/a:download?alt=media`, "files/a"],
    ["HTTPS://Generativelanguage.googleapis.com/v1beta/files/a", "files/a"],
    [`${BASE}/v1beta/files%2Fa`, "files/a"],
    ["files/a", "files/a"],
    ["https://generativelanguage.googleapis.com.evil.example/v1beta/files/a", undefined],
    ["https://gateway.example/gwx/v1beta/files/a", undefined],
    ["https://gateway.example/v1beta/files/a", undefined],
    ["gs://bucket/files/a", undefined],
    ["https://www.youtube.com/watch?v=x", undefined],
  ])("%s is %s", (text, name) => {
    expect(readAddress(text, [BASE])?.resource.root).toBe(name);
  });
});

describe("aliases of models", () => {
  const aliases = new Map([["gpt-4o-mini", "gemini-3.5-flash-lite"]]);
  const changed = (body: string): string => {
    const bytes = Buffer.from(body);
    return withEdits(bytes, aliasEdits(aliases, bytes)).toString();
  };

  it("are replaced at the top of a body, every other byte kept", () => {
    expect(changed('{ "messages" : [{"model":"gpt-4o-mini"}],"model" : "gpt-4o-mini" , "x":1.0 }')).toBe(
      '{ "messages" : [{"model":"gpt-4o-mini"}],"model" : "gemini-3.5-flash-lite" , "x":1.0 }',
    );
    expect(changed('{"m\\u006fdel":"gpt-4o-min\\u0069"}')).toBe('{"m\\u006fdel":"gemini-3.5-flash-lite"}');
    expect(changed('{"model":"models/gpt-4o-mini"}')).toBe('{"model":"models/gemini-3.5-flash-lite"}');
    expect(changed('{"model":"gemini-x"}')).toBe('{"model":"gemini-x"}');
    expect(changed('{"model":"a","model":"gpt-4o-mini"}')).toBe(
      '{"model":"a","model":"gemini-3.5-flash-lite"}',
    );
  });

  it.each([
    '{"requests":[{"model":"models/@","content":{"parts":[{"text":"models/gpt-4o-mini"}]}},{"model":"models/@"}]}',
    '{"generateContentRequest":{"contents":[{"model":"gpt-4o-mini"}],"model":"models/@","x":"\\"model\\":\\"gpt-4o-mini\\""}}',
    '{"batch":{"inputConfig":{"requests":{"requests":[{"request":{"model":"models/@"},"metadata":{"model":"gpt-4o-mini"}}]}}}}',
    '{"tools":[{"functionDeclarations":[{"parameters":{"properties":{"model":"gpt-4o-mini"}}}]}],"model":"@"}',
    '[{"model":"gpt-4o-mini"}]',
    '{"requests":[["model","gpt-4o-mini"]],"model":"@"}',
    '{"model":["gpt-4o-mini"],"request":{"model":{"model":"gpt-4o-mini"}}}',
  ])("are replaced in the requests that are wrapped, and in nothing that a caller says: %s", (body) => {
    const asked = body.replaceAll("@", "gpt-4o-mini");
    expect(changed(asked)).toBe(body.replaceAll("@", "gemini-3.5-flash-lite"));
  });

  it.each(['{"model":"gpt-4o-mini', '{"requests":[{"a":{', "\u0000", "", "]]}}", '{"model"'])(
    "let bytes that are no JSON be: %s",
    (body) => {
      expect(changed(body)).toBe(body);
    },
  );

  it("change nothing but the model, whatever else is in the body", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (others, place) => {
        const entries = Object.entries(others).filter(([name]) => name !== "model");
        entries.splice(place % (entries.length + 1), 0, ["model", "gpt-4o-mini"]);
        const body = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
        const expected = body.replace('"model":"gpt-4o-mini"', '"model":"gemini-3.5-flash-lite"');
        expect(JSON.parse(changed(body))).toEqual({
          ...(JSON.parse(body) as object),
          model: "gemini-3.5-flash-lite",
        });
        expect(changed(body)).toHaveLength(expected.length);
      }),
    );
  });

  it("are replaced in a path when asked", () => {
    expect(pathWithoutAlias(aliases, "/v1beta/models/gpt-4o-mini:generateContent?alt=sse")).toBe(
      "/v1beta/models/gemini-3.5-flash-lite:generateContent?alt=sse",
    );
    expect(pathWithoutAlias(aliases, "/v1beta/openai/models/gpt-4o-mini")).toBe(
      "/v1beta/openai/models/gemini-3.5-flash-lite",
    );
    expect(pathWithoutAlias(aliases, "/v1beta/openai/models/models%2Fgpt-4o-mini")).toBe(
      "/v1beta/openai/models/models%2Fgemini-3.5-flash-lite",
    );
    expect(pathWithoutAlias(aliases, "/v1beta/models/gemini-x")).toBe("/v1beta/models/gemini-x");
    expect(pathWithoutAlias(aliases, "/v1beta/files/x?y=/models/gpt-4o-mini")).toBe(
      "/v1beta/files/x?y=/models/gpt-4o-mini",
    );
    expect(modelForAlias(aliases, "toString")).toBeUndefined();
  });
});
