/**
 * Which requests move whole files: their bodies or answers may have gigabytes and are streamed, never kept. Pure; on the
 * HTTP workers, once per request.
 */
import { resourcesOfQuery } from "./resources/path-resource.ts";

/**
 * `upload`: begins an upload, or is all of one. `upload-leg`: goes on with one, authorised by the upload's id in its URL
 * alone. `download`: the bytes of a file are asked for.
 */
export type Transfer =
  | { readonly kind: "upload" | "download" }
  | { readonly kind: "upload-leg"; readonly upload: string };

export interface TransferRequest {
  readonly method: string;
  /** As it goes upstream. */
  readonly path: string;
  /** Decoded path below the version. */
  readonly below: string;
  /** Raw, without `?`. */
  readonly query: string;
  /** Whether the path is below `/upload/`. */
  readonly isUpload: boolean;
  /** Whether the query asks for the bytes. */
  readonly wantsMedia: boolean;
}

const UPLOAD: Transfer = { kind: "upload" };
const DOWNLOAD: Transfer = { kind: "download" };

const OPENAI_FILES = "/openai/files";
const OPENAI_CONTENT = /^\/openai\/(?:files|videos)\/.+\/content$/;

export function transferOf(request: TransferRequest): Transfer | undefined {
  const { method, path, below, query, isUpload, wantsMedia } = request;
  if (isUpload) {
    const upload = resourcesOfQuery(query).find(({ kind }) => kind === "upload");
    return upload === undefined ? UPLOAD : { kind: "upload-leg", upload: upload.root };
  }
  if (method === "POST") return below === OPENAI_FILES ? UPLOAD : undefined;
  if (method !== "GET" && method !== "HEAD") return undefined;
  const isDownload =
    wantsMedia || path.startsWith("/download/") || below.endsWith(":download") || OPENAI_CONTENT.test(below);
  return isDownload ? DOWNLOAD : undefined;
}
