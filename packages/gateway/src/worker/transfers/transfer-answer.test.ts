import { expect, it } from "vitest";
import { readTransferAnswer } from "./transfer-answer.ts";

const NOW_MS = 1_700_000_000_000;
const CONTEXT = {
  below: "/files",
  keyId: 7,
  nowMs: NOW_MS,
  base: "https://ai.example/gw",
  askedOrigin: "https://google.example",
  fileUris: "google",
} as const;

const kept = (rawHeaders: readonly string[], body = ""): Parameters<typeof readTransferAnswer>[0] => ({
  status: 200,
  rawHeaders,
  body: Buffer.from(body),
});

it("shows the gateway's address for an upload's, and keeps the real one with its key", () => {
  const { answer, entries } = readTransferAnswer(
    kept([
      "x-goog-upload-control-url",
      "https://google.example/upload/v1beta/files?upload_id=A1&upload_protocol=control",
      "X-Goog-Upload-URL",
      "https://upload.example/upload/v1beta/files?upload_id=A1&upload_protocol=resumable",
      "x-goog-upload-status",
      "active",
    ]),
    CONTEXT,
  );
  expect(answer.rawHeaders).toEqual([
    "x-goog-upload-control-url",
    "https://ai.example/gw/upload/v1beta/files?upload_id=A1&upload_protocol=control",
    "X-Goog-Upload-URL",
    "https://ai.example/gw/upload/v1beta/files?upload_id=A1&upload_protocol=resumable",
    "x-goog-upload-status",
    "active",
  ]);
  expect(entries).toEqual([
    {
      name: expect.stringMatching(/^uploads\//) as unknown,
      keyId: 7,
      expiresAtMs: NOW_MS + 7 * 86_400_000,
      detail: "https://upload.example/upload/v1beta/files?upload_id=A1&upload_protocol=resumable",
    },
  ]);
});

it("keeps back an address that is no upload's", () => {
  const { answer, entries } = readTransferAnswer(
    kept(["location", "https://google.example/elsewhere", "x-goog-upload-url", "ftp://x/?upload_id=A"]),
    CONTEXT,
  );
  expect([answer.rawHeaders, entries]).toEqual([[], []]);
});

it("tells whose the file is, and leaves its address alone or not, as it is told", () => {
  const uri = "https://generativelanguage.googleapis.com/v1beta/files/abc";
  const body = JSON.stringify({ file: { name: "files/abc", uri, displayName: uri } });
  const google = readTransferAnswer(kept([], body), CONTEXT);
  expect(google.answer.body.toString()).toBe(body);
  expect(google.entries).toEqual([{ name: "files/abc", keyId: 7, expiresAtMs: NOW_MS + 48 * 3_600_000 }]);
  const own = readTransferAnswer(kept(["content-length", "9"], body), { ...CONTEXT, fileUris: "gateway" });
  expect(JSON.parse(own.answer.body.toString())).toEqual({
    file: { name: "files/abc", uri: "https://ai.example/gw/v1beta/files/abc", displayName: uri },
  });
  expect(own.answer.rawHeaders).toEqual([]);
});
