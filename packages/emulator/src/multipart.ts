/**
 * Reads multipart bodies: `multipart/related` of Google's uploads and `multipart/form-data` of the OpenAI route. Pure.
 * Works on whole bodies, which the request bound limits.
 */

export interface BodyPart {
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly content: Buffer;
}

/** Parts of one body; more are not read. */
export const BODY_PARTS_MAX = 64;

/** The parts, or undefined for a body that is not made as its content type says. */
export function multipartParts(body: Buffer, contentType: string): readonly BodyPart[] | undefined {
  const boundary = /^multipart\/[\w-]+\s*;.*\bboundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) return undefined;
  const delimiter = Buffer.from(`--${mark}`);
  const parts: BodyPart[] = [];
  let from = body.indexOf(delimiter);
  while (from >= 0 && parts.length < BODY_PARTS_MAX) {
    from += delimiter.length;
    if (body.subarray(from, from + 2).toString("latin1") === "--") return parts;
    const end = body.indexOf(Buffer.concat([Buffer.from("\r\n"), delimiter]), from);
    const part = end < 0 ? undefined : partOf(body.subarray(from, end));
    if (part === undefined) return undefined;
    parts.push(part);
    from = end + 2;
  }
  return undefined;
}

const BLANK_LINE = Buffer.from("\r\n\r\n");

function partOf(bytes: Buffer): BodyPart | undefined {
  const blank = bytes.indexOf(BLANK_LINE);
  if (blank < 0) return undefined;
  const headers = new Map<string, string>();
  for (const line of bytes.subarray(0, blank).toString("utf8").split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, content: bytes.subarray(blank + BLANK_LINE.length) };
}

/** `name` or `filename` in a part's content-disposition. */
export function dispositionField(part: BodyPart, field: "name" | "filename"): string | undefined {
  const disposition = part.headers.get("content-disposition") ?? "";
  return new RegExp(`;\\s*${field}="([^"]*)"`, "i").exec(disposition)?.[1];
}
