/**
 * Writes docs/configuration.md, the reference of all options, from the schema. Pure; run by scripts/generate-docs.ts.
 */
import type { Entry } from "./entries.ts";
import { defaultOf, expectationOf } from "./expectation.ts";

const INTRODUCTION = `<!-- Generated from packages/gateway/src/config.ts by scripts/generate-docs.ts: change it there. -->

# Configuration

Every option can be given in three places. When it stands in more than one, the first of these wins:

1. a flag of the command line: \`gemini-gateway serve --lease-max-wait 2s\`
2. an environment variable: \`GEMINI_GATEWAY_LEASE_MAX_WAIT=2s\`
3. the configuration file named by \`--config\` or \`GEMINI_GATEWAY_CONFIG\`

An option that is given nowhere has its default. \`gemini-gateway config show\` prints what is in effect and where each
value came from, with secrets masked.

The file is YAML or JSON. Options of a section stand below its name:

\`\`\`yaml
# yaml-language-server: $schema=./docs/config.schema.json
port: 8080
authKey:
  - alice=replace-this-secret
  - bob=replace-this-one-too
lease:
  maxWait: 2s
\`\`\`

[config.schema.json](config.schema.json) lets editors complete and check it.

- **Times** are written as \`500ms\`, \`30s\`, \`5m\`, \`12h\` or \`7d\`; a plain number means seconds.
- **Sizes** are written as \`64KB\`, \`100MB\` or \`2GB\`; a plain number means bytes. 1 KB is 1024 bytes.
- **Lists** are separated by commas; a flag may also stand several times, and the file may hold a real list.
- **Switches** are \`true\` or \`false\`. As flags, \`--request-log\` alone means true and \`--no-request-log\` false.
- An environment variable that is empty counts as not set, and so does a name without a value in the file.
- Relative paths start at the folder in which the gateway was started.

An unknown option or an unacceptable value stops the command with a sentence that says why and exit code 2;
\`gemini-gateway config check\` only looks.

A running gateway reads its file again when the file changes and on SIGHUP; flags and environment stay as they were at
the start. A change is taken over as a whole, in all threads at once, for requests that begin afterwards. It is refused as
a whole, and the log says why, when a value is unacceptable or when an option changed that needs a restart: each option
below says which it is.

A flag can be seen by other users of the machine in the list of processes. Give secrets in the environment or in a file
that only you can read.
`;

/** The whole document. */
export function referenceOf(entries: readonly Entry[]): string {
  const titles = [...new Set(entries.map(({ title }) => title))];
  const sections = titles.map((title) =>
    sectionOf(
      title,
      entries.filter((entry) => entry.title === title),
    ),
  );
  return [INTRODUCTION, ...sections].join("\n");
}

function sectionOf(title: string, entries: readonly Entry[]): string {
  return [`## ${title}`, "", ...entries.map(optionOf)].join("\n");
}

function optionOf(entry: Entry): string {
  const { option } = entry;
  const standard = defaultOf(option);
  const names = [
    ...(option.inFile === false ? [] : [`file \`${entry.path}\``]),
    `flag \`--${entry.flag}\``,
    `environment ${entry.environment.map((name) => `\`${name}\``).join(" or ")}`,
  ];
  return `### ${entry.path}

${option.manual}

- Value: ${expectationOf(option)}
- Default: ${standard === "" ? "none" : literal(standard)}
- Names: ${names.join(", ")}
- Change: ${option.reload === "live" ? "while the gateway runs" : "needs a restart"}
`;
}

/** A default that is a rule in words is shown as it is. */
function literal(text: string): string {
  return text.includes(" ") ? text : `\`${text}\``;
}
