/** The log: JSON lines, or readable lines on a terminal. Primary thread; workers send their rows here. */
import { destination, type Logger, pino } from "pino";
import { LogOutput, type LogSink } from "./log-output.ts";
import { pretty } from "./pretty-log.ts";

export interface LogOptions {
  readonly logLevel: string;
  readonly logFormat: "auto" | "json" | "pretty";
}

export interface Log {
  readonly log: Logger;
  /** Begins to write what is gathered. It is also done by itself within half a second. */
  flush(): void;
  /** Resolves when all of it is written; before the process ends, so that its last lines are not torn. */
  written(): Promise<void>;
}

export async function openLog(options: LogOptions, isTerminal: boolean): Promise<Log> {
  const level = options.logLevel;
  const readable = options.logFormat === "pretty" || (options.logFormat === "auto" && isTerminal);
  if (readable) {
    const log = pino({ level, base: null }, await pretty(isTerminal));
    return { log, flush: () => log.flush(), written: () => Promise.resolve(log.flush()) };
  }
  const stream = destination({ fd: 1, sync: false, contentMode: "buffer" });
  const output = new LogOutput(sinkOf(stream));
  process.on("exit", () => output[Symbol.dispose]());
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, output);
  return { log, flush: () => output.handOver(), written: () => output.written() };
}

/** Its own `flush` calls back at once when nothing is gathered in it, though a write may be under way. */
function sinkOf(stream: ReturnType<typeof destination>): LogSink {
  let isWriting = false;
  let written = (): void => {};
  const rest = (): void => {
    isWriting = false;
    written();
  };
  stream.on("drain", rest);
  // A reader that went away must not end the gateway.
  stream.on("error", rest);
  return {
    write: (bytes) => {
      isWriting = true;
      // Its type knows of text alone.
      stream.write(bytes as unknown as string);
    },
    flush: (done) => {
      if (isWriting) written = done;
      else done();
    },
    flushSync: () => stream.flushSync(),
  };
}
