/** The log: JSON lines, or readable lines on a terminal. Primary thread; workers send their rows here. */
import { pino, destination, type Logger } from "pino";
import { pretty } from "./pretty-log.ts";

export interface LogOptions {
  readonly logLevel: string;
  readonly logFormat: "auto" | "json" | "pretty";
}

/** Bytes gathered before a write, when the log goes to a file or pipe. */
const BUFFER_BYTES = 4096;
/** Longest time a line waits for others, milliseconds. */
const FLUSH_INTERVAL_MS = 500;

export interface Log {
  readonly log: Logger;
  /** Writes what is gathered, at once. It is also done by itself within {@link FLUSH_INTERVAL_MS}. */
  flush(): void;
}

export async function openLog(options: LogOptions, isTerminal: boolean): Promise<Log> {
  const level = options.logLevel;
  const readable = options.logFormat === "pretty" || (options.logFormat === "auto" && isTerminal);
  if (readable) {
    const log = pino({ level, base: null }, await pretty(isTerminal));
    return { log, flush: () => log.flush() };
  }
  const stream = destination({
    fd: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
  });
  // A reader that went away must not end the gateway.
  stream.on("error", () => undefined);
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  return { log, flush: () => flushNow(stream) };
}

function flushNow(stream: ReturnType<typeof destination>): void {
  try {
    stream.flushSync();
  } catch {
    // Not open yet, or its reader is gone.
  }
}
