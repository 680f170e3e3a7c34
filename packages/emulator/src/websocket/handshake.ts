/** The opening handshake of RFC 6455 section 4.2, and answers to what is no such handshake. Pure: makes text. */
import { createHash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { Reply } from "../reply.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The answer that opens the connection; undefined when the request is no handshake of version 13. No extensions. */
export function acceptance(headers: IncomingHttpHeaders): string | undefined {
  const key = headers["sec-websocket-key"];
  const isUpgrade =
    headers.upgrade?.toLowerCase() === "websocket" && headers["sec-websocket-version"] === "13";
  if (!isUpgrade || key === undefined || Buffer.from(key, "base64").length !== 16) return undefined;
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** A whole HTTP answer in a handshake's place, as bytes; the connection ends with it. */
export function refusalBytes(reply: Reply): Buffer {
  const body = Buffer.concat(Array.from({ length: reply.frameCount }, (_, index) => reply.frame(index)));
  const lines = [`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? "Error"}`];
  for (const [name, value] of Object.entries(reply.headers)) {
    for (const one of typeof value === "string" ? [value] : value) lines.push(`${name}: ${one}`);
  }
  lines.push(`content-length: ${body.length}`, "connection: close", "", "");
  return Buffer.concat([Buffer.from(lines.join("\r\n")), body]);
}
