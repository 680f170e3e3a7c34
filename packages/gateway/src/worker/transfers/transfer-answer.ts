/**
 * What the answer to an upload or a download tells of resources, and how its client sees it: addresses of uploads are
 * always the gateway's, those of files by setting. Worker threads; pure.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { isUploadHeader, resourcesInAnswer } from "@gemini-gateway/gemini/resources/answer-resources";
import { toldOf } from "@gemini-gateway/gemini/resources/answer-told";
import type { PublicBase } from "@gemini-gateway/gemini/resources/file-address";
import { uploadAddress } from "@gemini-gateway/gemini/resources/public-address";
import type { ResourceEntry } from "../../affinity/messages.ts";
import { entriesTold } from "../affinity/resource-entries.ts";
import { unpacked, type KeptAnswer } from "../kept-answer.ts";
import { withGatewaysUris } from "./file-uris.ts";

export interface AnswerContext {
  /** Decoded path below the version. */
  readonly below: string;
  readonly keyId: KeyId;
  readonly nowMs: number;
  /** The gateway's address, as the client knows it. */
  readonly base: PublicBase;
  /** Origin that gave the answer. */
  readonly askedOrigin: string;
  readonly fileUris: "google" | "gateway";
}

export interface ReadAnswer {
  readonly answer: KeptAnswer;
  /** To be known everywhere before the client sees it. */
  readonly entries: readonly ResourceEntry[];
}

/** The header whose URL is kept when several lead to the same upload. */
const UPLOAD_URL = "x-goog-upload-url";

/** Of a successful answer that was read whole. */
export function readTransferAnswer(kept: KeptAnswer, context: AnswerContext): ReadAnswer {
  const { below, keyId, nowMs, fileUris, base } = context;
  const entries = new Map<string, ResourceEntry>();
  const rawHeaders = publicHeaders(kept.rawHeaders, context, entries);
  const text = unpacked(kept);
  for (const entry of entriesTold(resourcesInAnswer(below, text, nowMs), keyId))
    entries.set(entry.name, entry);
  const answer = withGatewaysUris({ ...kept, rawHeaders }, fileUris === "google" ? [] : [base]);
  return { answer, entries: [...entries.values()] };
}

/** A header that should lead to an upload and does not is left out: it may lead around the gateway. */
function publicHeaders(
  rawHeaders: readonly string[],
  { base, askedOrigin, keyId, nowMs }: AnswerContext,
  entries: Map<string, ResourceEntry>,
): readonly string[] {
  const shown: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    const value = rawHeaders[at + 1] ?? "";
    if (!isUploadHeader(name)) {
      shown.push(name, value);
      continue;
    }
    const address = uploadAddress(value, base, askedOrigin);
    const detail = URL.parse(value, askedOrigin)?.href;
    if (address === undefined || detail === undefined) continue;
    const { publicUrl, upload } = address;
    shown.push(name, publicUrl);
    if (entries.has(upload.root) && name.toLowerCase() !== UPLOAD_URL) continue;
    for (const entry of entriesTold([toldOf(upload, nowMs)], keyId))
      entries.set(entry.name, { ...entry, detail });
  }
  return shown;
}
