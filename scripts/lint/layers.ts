/**
 * The layer walls of the tree as one table: which folder may import what. Pure; the lint plugin asks it for every
 * import, export-from and import() it meets. Never loosen a line here to make a file pass: move the code instead.
 */
import { posix } from "node:path";

/** What a folder may import. Its own files are always open to it. */
export interface Zone {
  /** Folder the zone governs, from the root of the repository, without a closing slash. The longest match decides. */
  readonly folder: string;
  /** `only`: everything not named is refused. `never`: everything not named is allowed. */
  readonly rule: "only" | "never";
  /** Folders of this repository, or single files. */
  readonly folders: readonly string[];
  /** Packages and `node:` modules; `undici` covers `undici/…` too. */
  readonly modules: readonly string[];
  /** Said to whoever runs into the wall. */
  readonly why: string;
}

const CORE = "packages/core/src";
const GEMINI = "packages/gemini/src";
const GATEWAY = "packages/gateway/src";
const PRIMARY = `${GATEWAY}/primary`;
const WORKER = `${GATEWAY}/worker`;
const PROBER = `${GATEWAY}/prober`;
const HTTP1 = `${GATEWAY}/http1`;
const EMULATOR = "packages/emulator";

/** All that runs in the primary thread, the command line included. */
const PRIMARY_THREAD = [PRIMARY, `${GATEWAY}/control`, `${GATEWAY}/cli`, `${GATEWAY}/cli.ts`];
const SHARED_BY_THREADS = [
  `${GATEWAY}/config`,
  `${GATEWAY}/config.ts`,
  `${GATEWAY}/protocol.ts`,
  `${GATEWAY}/probe-protocol.ts`,
  `${GATEWAY}/request-row.ts`,
  `${GATEWAY}/row-batch.ts`,
  `${GATEWAY}/shared-counters.ts`,
  `${GATEWAY}/limits`,
  `${GATEWAY}/affinity`,
];
const NOT_SHIPPED = [EMULATOR, "bench"];

/** Modules that neither read nor change anything outside their arguments. */
const PURE_MODULES = ["node:buffer", "node:string_decoder"];

export const ZONES: readonly Zone[] = [
  {
    folder: CORE,
    rule: "only",
    folders: [],
    modules: PURE_MODULES,
    why: "core decides: no dependency, no I/O, nothing outside itself",
  },
  {
    folder: GEMINI,
    rule: "only",
    folders: [CORE],
    modules: PURE_MODULES,
    why: "gemini knows Google and nothing else: it imports only core",
  },
  {
    folder: GATEWAY,
    rule: "never",
    folders: [WORKER, PROBER, ...NOT_SHIPPED],
    modules: ["better-sqlite3", "undici", "ws"],
    why: "only the primary opens the database, only the workers talk to the upstream, and the emulator is not shipped",
  },
  ...SHARED_BY_THREADS.map((folder): Zone => ({
    folder,
    rule: "never",
    folders: [...PRIMARY_THREAD, WORKER, PROBER, ...NOT_SHIPPED],
    modules: ["better-sqlite3", "undici", "ws"],
    why: "every thread loads this: it belongs to none, so it imports no thread's code",
  })),
  {
    folder: HTTP1,
    rule: "only",
    folders: [],
    // The names of statuses.
    modules: [...PURE_MODULES, "node:http"],
    why: "http1 is the grammar of the wire, no more: sockets, clients and the upstream are the workers'",
  },
  {
    folder: PRIMARY,
    rule: "never",
    folders: [WORKER, PROBER, ...NOT_SHIPPED],
    modules: ["undici", "ws"],
    why: "the primary decides: it never touches the bytes of a request, nor another thread's code",
  },
  {
    folder: WORKER,
    rule: "never",
    folders: [...PRIMARY_THREAD, PROBER, ...NOT_SHIPPED],
    modules: ["better-sqlite3", "undici"],
    why: "a worker serves, in its own HTTP/1.1: it never opens the database, nor imports the primary's or the prober's code",
  },
  {
    folder: `${WORKER}/http2-pool.ts`,
    rule: "never",
    folders: [...PRIMARY_THREAD, PROBER, ...NOT_SHIPPED],
    modules: ["better-sqlite3"],
    why: "the one place where a worker uses undici, for HTTP/2; the walls of the worker hold here too",
  },
  {
    folder: PROBER,
    rule: "never",
    folders: [...PRIMARY_THREAD, WORKER, ...NOT_SHIPPED],
    modules: ["better-sqlite3"],
    why: "a prober tests keys: it never opens the database, nor imports the other threads' code",
  },
  {
    folder: EMULATOR,
    rule: "never",
    folders: ["packages/gateway", "bench"],
    modules: [],
    why: "the emulator imitates Google: it knows nothing of the gateway it is used to test",
  },
];

/** Tests of pure code may use the test runner and read recorded fixtures. */
const TEST_MODULES = ["vitest", "fast-check", "node:fs", "node:path", "node:url"];

/** Where a specifier leads: a path of this repository or a module. */
type Target =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "module"; readonly name: string };

/**
 * Says why `fromPath` may not import `specifier`, or undefined when it may.
 * @param fromPath importing file, from the root of the repository, with forward slashes.
 * @param specifier as written in the source: relative, `@gemini-gateway/…`, package or `node:` name.
 */
export function refusalOf(fromPath: string, specifier: string): string | undefined {
  const zone = zoneOf(fromPath);
  if (zone === undefined) return undefined;
  const target = targetOf(fromPath, specifier);
  if (target.kind === "path" && isWithin(target.path, zone.folder)) return undefined;
  return isNamed(zone, target, fromPath.endsWith(".test.ts")) === (zone.rule === "only")
    ? undefined
    : zone.why;
}

function zoneOf(path: string): Zone | undefined {
  return ZONES.filter((zone) => isWithin(path, zone.folder)).reduce<Zone | undefined>(
    (longest, zone) => (longest !== undefined && longest.folder.length > zone.folder.length ? longest : zone),
    undefined,
  );
}

function isNamed(zone: Zone, target: Target, isTest: boolean): boolean {
  if (target.kind === "path") return zone.folders.some((folder) => isWithin(target.path, folder));
  const modules = zone.rule === "only" && isTest ? [...zone.modules, ...TEST_MODULES] : zone.modules;
  return modules.some((name) => isWithin(target.name, name));
}

function targetOf(fromPath: string, specifier: string): Target {
  if (specifier.startsWith(".")) {
    return { kind: "path", path: posix.join(posix.dirname(fromPath), specifier) };
  }
  const [scope = "", name = "", ...rest] = specifier.split("/");
  if (scope === "@gemini-gateway") {
    const folder = name === "bench" ? "bench" : `packages/${name}`;
    return { kind: "path", path: `${posix.join(folder, "src", ...rest)}${rest.length > 0 ? ".ts" : ""}` };
  }
  if (scope === "gemini-gateway") return { kind: "path", path: "packages/gateway" };
  if (scope === "gemini-emulator") return { kind: "path", path: "packages/emulator" };
  return { kind: "module", name: specifier };
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
