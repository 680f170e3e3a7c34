/**
 * Every process the bench starts, so that each can be ended by its id whatever happens: at the end, on an error and on
 * Ctrl-C. Runs in the bench's main process. It must never signal a process it did not start.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Time a process gets to end by itself before it is killed. */
const END_MS = 10_000;
/** Bytes of a child's standard error kept to say why it failed. */
const COMPLAINT_BYTES_MAX = 4_000;

export interface ChildOptions {
  /** For messages. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Cores it is pinned to with taskset. */
  readonly cores?: readonly number[] | undefined;
  /** What becomes of its standard output. A number is the descriptor of an open file. */
  readonly output?: "ignore" | number;
  /** Opens a channel for messages. */
  readonly hasChannel?: boolean;
}

/** A running child. */
export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  readonly pid: number;
  /** Rejects when the process ends, which is an error until it was told to; never resolves. */
  readonly failed: Promise<never>;
  /** Ends it: first kindly, then by force. */
  end(): Promise<void>;
}

export class ChildProcesses implements AsyncDisposable {
  readonly #running = new Set<Child>();

  constructor() {
    // The last resort: an exit that nobody waited for leaves nothing behind.
    process.on("exit", () => {
      for (const child of this.#running) child.process.kill("SIGKILL");
    });
  }

  /** Starts a process. Rejects when the program is not there. */
  async start(options: ChildOptions): Promise<Child> {
    const [program, ...args] = pinned(options.command, options.cores);
    const child = spawn(program, args, {
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      env: { ...ownEnvironment(), ...options.env },
      stdio: [
        "ignore",
        options.output ?? "ignore",
        "pipe",
        ...(options.hasChannel ? (["ipc"] as const) : []),
      ],
    });
    const complaint = complaintOf(child);
    await once(child, "spawn");
    const started: Child = {
      name: options.name,
      process: child,
      pid: child.pid ?? 0,
      failed: failureOf(child, options.name, complaint),
      end: () => this.#end(started),
    };
    started.failed.catch(() => this.#running.delete(started));
    this.#running.add(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.#end(child)));
  }

  async #end({ process: child }: Child): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await exited;
    clearTimeout(timer);
  }
}

/** What the operator has set for their own gateway, or for node, must not change what is measured. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const isForeign = (name: string): boolean =>
    name.startsWith("GEMINI_GATEWAY_") || name === "AUTH_KEY" || name === "NODE_OPTIONS";
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name)));
}

/** taskset replaces itself by the program, so the id stays that of the program. */
function pinned(
  command: readonly [string, ...string[]],
  cores: readonly number[] | undefined,
): readonly [string, ...string[]] {
  return cores === undefined ? command : ["taskset", "--cpu-list", cores.join(","), ...command];
}

function complaintOf(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text = `${text}${chunk}`.slice(-COMPLAINT_BYTES_MAX);
  });
  return () => text.trim();
}

function failureOf(child: ChildProcess, name: string, complaint: () => string): Promise<never> {
  // "close" and not "exit": by then all that it complained of has been read.
  const failure = once(child, "close").then(([code, signal]: unknown[]) => {
    const said = complaint();
    throw new Error(`${name} ended (${String(signal ?? code)})${said === "" ? "" : `: ${said}`}`);
  });
  failure.catch(() => undefined);
  return failure;
}
