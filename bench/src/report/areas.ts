/** Where the time of a CPU profile goes, by area: a folder of the gateway, a package, a part of Node. Pure. */

/** The part of V8's format that is read. Times are microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node of each sample, and the time that passed before it. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** What V8 calls states that are no function. */
const STATES: Readonly<Record<string, string | undefined>> = {
  "(idle)": undefined,
  "(root)": undefined,
  "(program)": "native code outside any function",
  "(garbage collector)": "garbage collection",
};

/** Functions of Node's own C++, which have no file, and that cost enough to be told by themselves. */
const NATIVE: readonly (readonly [pattern: RegExp, area: string])[] = [
  [/^(writev|writeBuffer|writeUtf8String|writeLatin1String|writeAsciiString|shutdown)$/, "socket writes"],
  [/^(postMessage|drainMessagePort|receiveMessageOnPort)$/, "messages between threads"],
];

/** Files, the first that fits. */
const FILES: readonly (readonly [pattern: RegExp, area: string])[] = [
  [/\/packages\/(core|gemini)\/src\//, "$1/"],
  [/\/packages\/gateway\/src\/(?:(.+)\/)?[^/]+$/, "gateway $1/"],
  [/\/node_modules\/better-sqlite3\//, "SQLite"],
  [/\/node_modules\/(?:pino|sonic-boom|thread-stream)[^/]*\//, "the log's writer (pino)"],
  [/\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/, "$1"],
  [/^node:(?:_http|internal\/http)/, "node:http"],
  [
    /^node:(?:net|internal\/net|internal\/stream|stream|events|internal\/streams)/,
    "node:net, streams, events",
  ],
  [/^node:(?:timers|internal\/timers)/, "timers"],
  [
    /^node:(?:internal\/worker|internal\/per_context\/messageport|worker_threads)/,
    "messages between threads",
  ],
  [/^node:(?:buffer|internal\/buffer|string_decoder|internal\/encoding)/, "buffers and text"],
  [/^node:(?:fs|internal\/fs)/, "files"],
  [/^node:/, "node, the rest"],
];

/** Busy time by area, µs; the idle time is left out. */
export function timeByAreaUs({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const areas = areasOf(nodes);
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const area = areas.get(id);
    if (area !== undefined) times.set(area, (times.get(area) ?? 0) + Math.max(0, timeDeltas[index] ?? 0));
  }
  return times;
}

/** The area of every node; a function without a file belongs to whoever called it. Undefined: not busy. */
function areasOf(nodes: readonly ProfileNode[]): Map<number, string | undefined> {
  const areas = new Map<number, string | undefined>();
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  // V8 lists callers before those they call.
  for (const { id, callFrame } of nodes) {
    areas.set(id, areaOf(callFrame, areas.get(callers.get(id) ?? NaN)));
  }
  return areas;
}

function areaOf(
  { functionName, url }: ProfileNode["callFrame"],
  ofCaller: string | undefined,
): string | undefined {
  if (functionName in STATES && url === "") return STATES[functionName];
  // The profiler's own start.
  if (url === "node:inspector") return undefined;
  const known = url === "" ? matched(NATIVE, functionName) : matched(FILES, url);
  return known ?? ofCaller ?? "other";
}

function matched(table: typeof FILES, text: string): string | undefined {
  for (const [pattern, area] of table) {
    const found = pattern.exec(text);
    if (found !== null) return area.replace("$1", found[1] ?? "").replace(" /", "");
  }
  return undefined;
}
