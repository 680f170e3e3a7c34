/** Readable log lines for a terminal. Loaded only when wanted. Primary thread. */
import type { DestinationStream } from "pino";

export async function pretty(colorize: boolean): Promise<DestinationStream> {
  const { build } = await import("pino-pretty");
  return build({ colorize, sync: true, translateTime: "SYS:HH:MM:ss.l", ignore: "pid,hostname" });
}
