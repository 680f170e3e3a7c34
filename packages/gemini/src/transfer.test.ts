import { describe, expect, it } from "vitest";
import { routeRequest } from "./route.ts";

const transfer = (method: string, url: string): unknown => routeRequest(method, url)?.transfer;

describe("a transfer of a whole file", () => {
  it.each([
    ["POST", "/upload/v1beta/files"],
    ["POST", "/upload/v1/files?uploadType=multipart"],
    ["POST", "/upload/v1beta/fileSearchStores/s1:uploadToFileSearchStore"],
    ["PUT", "/upload/v1beta/environments/e1/files/a/b.txt"],
    ["POST", "/v1beta/openai/files"],
    ["POST", "/v1/openai/files"],
  ])("begins with %s %s", (method, url) => {
    expect(transfer(method, url)).toEqual({ kind: "upload" });
  });

  it.each([
    ["POST", "/upload/v1beta/files?upload_id=abc&upload_protocol=resumable"],
    ["PUT", "/upload/v1beta/files?upload_protocol=resumable&upload_id=abc&key=client"],
    ["DELETE", "/upload/v1beta/fileSearchStores/s1:uploadToFileSearchStore?upload_id=abc"],
  ])("goes on with %s %s, known by a digest of its id", (method, url) => {
    expect(transfer(method, url)).toEqual({
      kind: "upload-leg",
      upload: expect.stringMatching(/^uploads\/[\da-f]{32}$/) as unknown,
    });
  });

  it.each([
    ["GET", "/v1beta/files/x:download?alt=media"],
    ["GET", "/v1beta/files/x:download"],
    ["HEAD", "/download/v1beta/files/x:download?alt=media"],
    ["GET", "/v1beta/fileSearchStores/s/media/m?alt=media"],
    ["GET", "/v1beta/environments/e/files/a.txt?%24alt=media"],
    ["GET", "/v1beta/openai/files/files%2Fx/content"],
  ])("comes back with %s %s", (method, url) => {
    expect(transfer(method, url)).toEqual({ kind: "download" });
  });

  it.each([
    ["GET", "/v1beta/files/x"],
    ["GET", "/v1beta/files?upload_id=abc"],
    ["DELETE", "/v1beta/files/x"],
    ["POST", "/v1beta/models/m:generateContent?alt=media"],
    ["POST", "/v1beta/files:register"],
    ["GET", "/v1beta/openai/files"],
    ["GET", "/v1beta/openai/files/x"],
  ])("is not %s %s", (method, url) => {
    expect(transfer(method, url)).toBeUndefined();
  });
});
