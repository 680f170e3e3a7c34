/** Readable log lines for a terminal, one a message. Loaded only when wanted. Primary thread. */
import type { DestinationStream } from "pino";
import { requestSentence, REQUEST_FIELDS } from "./request-sentence.ts";

export async function pretty(colorize: boolean): Promise<DestinationStream> {
  const { build } = await import("pino-pretty");
  return build({
    colorize,
    sync: true,
    singleLine: true,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: REQUEST_FIELDS.join(","),
    messageFormat: (line, messageKey) => requestSentence(line) ?? String(line[messageKey]),
  });
}
