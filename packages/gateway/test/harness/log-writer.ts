/**
 * Logs as a gateway that is being stopped does, much more than a pipe takes at once, and ends; a process of its own.
 * Arguments: the number of lines. Says on the standard error when all is logged.
 */
import { openLog } from "../../src/primary/log.ts";

const opened = await openLog({ logLevel: "info", logFormat: "json" }, false);
const padding = "x".repeat(1_000);
for (let line = 0; line < Number(process.argv[2]); line += 1) {
  opened.log.info({ line, padding }, "request");
  if (line % 100 === 0) opened.flush();
  // Gives the write under way its time, so that more is logged behind it.
  if (line % 500 === 0) await new Promise(setImmediate);
}
opened.flush();
// Read by nobody so far: a write waits for room in the pipe, and the rest waits for that.
process.stderr.write("logged\n");
await opened.written();
// oxlint-disable-next-line unicorn/no-process-exit -- as the command line does when the gateway has stopped
process.exit(0);
