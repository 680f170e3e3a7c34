/** Answers a WebSocket handshake with an HTTP answer and ends the connection. Worker threads. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { OwnAnswer } from "../own-answer.ts";
import { LINGER_MS } from "../unread-body.ts";

/** @param extraHeaders a flat list */
export function refuseUpgrade(socket: Socket, answer: OwnAnswer, extraHeaders: readonly string[]): void {
  const { status, body, headers } = answer;
  const flat = [...headers, ...extraHeaders, "connection", "close"];
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  for (let at = 0; at + 1 < flat.length; at += 2) head += `${flat[at]}: ${flat[at + 1]}\r\n`;
  socket.on("error", () => {});
  socket.end(`${head}\r\n${body}`);
  // Read on for a while, so that the answer arrives before the reset; then let go, whatever the client does.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
}
