/** Writes docs/import.md from the table of names. Pure; run by scripts/generate-docs.ts. */
import type { SettingMeaning } from "./setting-names.ts";

const INTRODUCTION = `<!-- Generated from packages/gateway/src/primary/import by scripts/generate-docs.ts: change it there. -->

# Taking over an installation of the Python original

\`\`\`sh
gemini-gateway import /path/to/original --dry-run   # says what would be taken over, writes nothing
gemini-gateway import /path/to/original             # does it, while no gateway runs on the database
gemini-gateway serve --config gateway.yaml
\`\`\`

Nothing of the original is changed, and nothing of it is run. All is taken over, or nothing: when a place cannot be
written, one sentence says so and everything is as it was. Run again, it adds nothing twice and leaves alone what this
gateway has learnt itself. \`--json\` prints the report for programs. The exit code is 0, 1 when something of the original
could not be read or nothing could be written, 2 when the command was given wrongly.

## What is read

- **\`keys/\`** (or the folder that \`KEYS_DIR\` names): every key, with its project label, into \`imported.txt\` in the folder
  of keys. Where there are no key files, the keys of the database.
- **\`api_proxy.db\`** (or \`DB_PATH\`), from a copy. Tables are told by the names of their columns: keys by \`key\` or
  \`api_key\`, their states by \`status\`, \`status_code\` and the like, with \`model\`, \`last_test\` and \`next_test\` where
  there are, beside the key or in a table that names it by \`key_id\`; bans by an \`ip\` in a table of bans. A key that
  served is good, one refused everywhere with 401 or 403 rests until its next test, the others are tested. Moments are
  seconds or milliseconds since 1970, or dates; a date without a zone is in the time of this machine.
- **\`config.py\`**: assignments of plain values (texts, numbers and their products, \`True\`, \`False\`, \`None\`, lists, tuples,
  mappings), at the top or in a class, into \`gateway.yaml\` (or \`--write FILE\`; one that is there is replaced only with
  \`--force\`). What is computed (\`os.environ\`, calls, f-strings) is named as not understood.

What could not be taken over is listed by file, line and name, never by value.

## Settings

Letter case does not matter, nor one of \`DEFAULT_\`, \`CONFIG_\`, \`GEMINI_\`, \`FLASK_\`, \`SERVER_\`, \`APP_\` in front. A time
may end in its unit: \`BAN_TIME_HOURS\`. Others are seconds unless the table says otherwise.

`;

const WORDS: Readonly<Record<SettingMeaning["reading"], string>> = {
  plain: "the same value",
  list: "a list, or the names of a mapping",
  seconds: "seconds",
  minutes: "minutes",
  hours: "hours",
  days: "days",
  "auth-keys": "one secret, a list, or a mapping of names to secrets",
  proxy:
    "a URL, `host:port`, a mapping by scheme (`https` first), or parts: `…_HOST`, `_PORT`, `_USER`, `_PASSWORD`",
  rates: "a number, or `40 per minute`; names or texts with an hour go to `ip.perHour`",
  threshold: "a number of keys, or a fraction as a share",
  level: "a level of Python's log",
  retries: "retries, which makes one attempt more; `ATTEMPTS` as they are",
  timeouts: "seconds, or a pair of connect and read",
  intervals: "seconds after a success, or a mapping of statuses (200, 403, 4xx, 5xx) to seconds",
};

/** The whole document. */
export function importReferenceOf(meanings: readonly SettingMeaning[]): string {
  const rows = meanings.map(({ option, reading, names }) => [
    names.map((name) => `\`${name}\``).join(", "),
    `\`${option}\``,
    WORDS[reading],
  ]);
  return INTRODUCTION + tableOf(["in `config.py`", "here", "read as"], rows);
}

/** As the formatter of this repository leaves it: every column as wide as its widest cell. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const rule = widths.map((width) => "-".repeat(width));
  const lines = [head, rule, ...rows].map(
    (row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  return `${lines.join("\n")}\n`;
}
