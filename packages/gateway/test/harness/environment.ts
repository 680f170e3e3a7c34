/** What programs that tests start may know of the environment: nothing that could configure them. */
const NAMES = ["PATH", "TMPDIR", "NODE_COMPILE_CACHE"] as const;

export const INHERITED: Readonly<Record<string, string>> = Object.fromEntries(
  NAMES.map((name) => [name, process.env[name]] as const).filter(
    (entry): entry is readonly [(typeof NAMES)[number], string] => entry[1] !== undefined,
  ),
);
