/** The load generator as the bench sees it: a child process that takes orders. Runs in the bench's main process. */
import { fileURLToPath } from "node:url";
import { Channel } from "../processes/channel.ts";
import type { Child, ChildProcesses } from "../processes/child-processes.ts";
import type { LoadJobName, LoadJobs } from "./protocol.ts";

const PROGRAM = fileURLToPath(new URL("./main.ts", import.meta.url));

export class LoadGenerator implements AsyncDisposable {
  readonly #child: Child;
  readonly #channel: Channel;

  private constructor(child: Child, channel: Channel) {
    this.#child = child;
    this.#channel = channel;
  }

  static async start(children: ChildProcesses, cores: readonly number[] | undefined): Promise<LoadGenerator> {
    const child = await children.start({
      name: "the load generator",
      command: [process.execPath, PROGRAM],
      cores,
      hasChannel: true,
    });
    return new LoadGenerator(child, await Channel.open(child));
  }

  /** Has one job done; only one at a time. */
  async run<Name extends LoadJobName>(
    name: Name,
    order: LoadJobs[Name]["order"],
  ): Promise<LoadJobs[Name]["result"]> {
    return (await this.#channel.ask({ name, order })) as LoadJobs[Name]["result"];
  }

  get pid(): number {
    return this.#child.pid;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.end();
  }
}
