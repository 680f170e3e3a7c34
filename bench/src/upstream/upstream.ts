/** The upstream as the bench sees it: a child process with a URL. Runs in the bench's main process. */
import type { EmulatorOptions } from "gemini-emulator";
import type { FaultRule } from "gemini-emulator/fault-rules";
import { fileURLToPath } from "node:url";
import { Channel } from "../processes/channel.ts";
import type { Child, ChildProcesses } from "../processes/child-processes.ts";
import type { UpstreamOrder } from "./protocol.ts";

const PROGRAM = fileURLToPath(new URL("./main.ts", import.meta.url));

export class Upstream implements AsyncDisposable {
  readonly #child: Child;
  readonly #channel: Channel;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;

  private constructor(child: Child, channel: Channel, url: string) {
    this.#child = child;
    this.#channel = channel;
    this.url = url;
  }

  static async start(
    children: ChildProcesses,
    cores: readonly number[] | undefined,
    options: Pick<EmulatorOptions, "projects" | "models" | "minimal">,
  ): Promise<Upstream> {
    const child = await children.start({
      name: "the upstream",
      command: [process.execPath, PROGRAM],
      cores,
      hasChannel: true,
    });
    const channel = await Channel.open(child);
    const url = await channel.ask({ kind: "start", options } satisfies UpstreamOrder);
    return new Upstream(child, channel, String(url));
  }

  /** Unary generations since the start; see {@link UpstreamOrder}. */
  async generations(): Promise<number> {
    return Number(await this.#channel.ask({ kind: "count" } satisfies UpstreamOrder));
  }

  /** See {@link UpstreamOrder}. */
  async makeFaulty(rules: readonly FaultRule[]): Promise<void> {
    await this.#channel.ask({ kind: "faults", rules } satisfies UpstreamOrder);
  }

  /** See {@link UpstreamOrder}. */
  async raiseStorm(exhausted: readonly string[], overloadedShare: number): Promise<void> {
    await this.#channel.ask({ kind: "storm", exhausted, overloadedShare } satisfies UpstreamOrder);
  }

  get pid(): number {
    return this.#child.pid;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.end();
  }
}
