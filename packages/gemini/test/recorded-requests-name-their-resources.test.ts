import { expect, it } from "vitest";
import { resourcesOfRequest } from "../src/resources/request-resources.ts";
import { readBody } from "../src/resources/read-body.ts";
import { routeRequest } from "../src/route.ts";

const GOOGLE = "https://generativelanguage.googleapis.com";
const FILE_PART = `{"parts":[{"fileData":{"fileUri":"${GOOGLE}/v1beta/files/f1","mimeType":"text/plain"}},{"text":"hi"}]`;
const BATCH = '{"input_file_id":"files/f1","endpoint":"/v1/chat/completions","completion_window":"24h"}';
const STORE_UPLOAD = "/upload/v1/fileSearchStores/s1:uploadToFileSearchStore";

/** Lines and bodies as clients sent them to a recording server: @google/genai 3.1.0, openai 7, generative-ai 0.24. */
const RECORDED: readonly (readonly [method: string, url: string, body: string, roots: readonly string[]])[] =
  [
    ["POST", "/v1/models/m:generateContent", '{"contents":[{"parts":[{"text":"hi"}],"role":"user"}]}', []],
    ["POST", "/v1/models/m:generateContent", `{"contents":[${FILE_PART},"role":"user"}]}`, ["files/f1"]],
    [
      "POST",
      "/v1/models/m:generateContent",
      '{"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"cachedContent":"cachedContents/c1","generationConfig":{}}',
      ["cachedContents/c1"],
    ],
    ["GET", "/v1/files/f1", "", ["files/f1"]],
    ["DELETE", "/v1/files/f1", "{}", ["files/f1"]],
    ["GET", "/v1/files/f1:download?alt=media", "", ["files/f1"]],
    ["PATCH", "/v1/cachedContents/c1", '{"ttl":"60s"}', ["cachedContents/c1"]],
    [
      "POST",
      "/v1/models/m:batchGenerateContent",
      '{"batch":{"inputConfig":{"fileName":"files/f1"}}}',
      ["files/f1"],
    ],
    [
      "POST",
      "/v1/models/m:asyncBatchEmbedContent",
      '{"batch":{"inputConfig":{"file_name":"files/f1"}}}',
      ["files/f1"],
    ],
    ["POST", "/v1/batches/b123:cancel", "{}", ["batches/b123"]],
    ["POST", STORE_UPLOAD, '{"mimeType":"text/plain"}', ["fileSearchStores/s1"]],
    [
      "POST",
      "/v1/fileSearchStores/s1:importFile",
      '{"fileName":"files/f1"}',
      ["fileSearchStores/s1", "files/f1"],
    ],
    ["DELETE", "/v1/fileSearchStores/s1?force=true", "{}", ["fileSearchStores/s1"]],
    ["GET", "/v1/fileSearchStores/s1/media/m1?alt=media", "", ["fileSearchStores/s1"]],
    ["GET", "/v1/interactions/v1_abc?stream=false", "", ["interactions/v1_abc"]],
    ["POST", "/v1/interactions/v1_abc/cancel", "", ["interactions/v1_abc"]],
    ["POST", "/v1/interactions", '{"model":"gemini-3-flash-preview","input":"hi"}', []],
    ["POST", "/v1beta/openai/batches", BATCH, ["files/f1"]],
    ["GET", "/v1beta/openai/batches/batches%2Fb1", "", ["batches/b1"]],
    [
      "POST",
      "//v1beta//openai/chat/completions",
      '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
      [],
    ],
    ["POST", "/v1alpha/auth_tokens", '{"uses":1}', []],
    ["GET", "/v1/files?pageSize=2", "", []],
  ];

it.each(RECORDED)("%s %s %s", (method, url, body, roots) => {
  const route = routeRequest(method, url);
  const reading = body === "" ? undefined : readBody(Buffer.from(body));
  const resources = resourcesOfRequest(route?.below ?? "", url.split("?")[1] ?? "", reading);
  expect(resources.map(({ root }) => root)).toEqual(roots);
});

it("the second leg of an upload by its id alone", () => {
  const url = "/upload/v1/files?upload_id=ABCDEF&upload_protocol=resumable";
  const route = routeRequest("POST", url);
  const [upload] = resourcesOfRequest(route?.below ?? "", url.split("?")[1] ?? "", undefined);
  expect(route?.isUpload).toBe(true);
  expect(upload?.root).toMatch(/^uploads\/[\da-f]{32}$/);
});
