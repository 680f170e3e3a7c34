/** The command line of the bench. Throws {@link UsageError} with one sentence for what it does not understand. */
import { parseArgs } from "node:util";
import { PORTKEY_FOLDER } from "./contenders/portkey.ts";
import { MEASUREMENT_IDS, type MeasurementId } from "./result.ts";

export const HELP = `pnpm bench [options]: load-tests the gateway against an imitated Gemini on this machine

  --quick          everything once and small, under two minutes: shows that it works, not how fast
  --against REV    holds the working tree against another revision of this repository, in turns
  --only LIST      some of the measurements: ${MEASUREMENT_IDS.join(", ")}
  --rounds N       rounds of each comparison, 1 to 50 (default 5, quick 1)
  --portkey DIR    folder of the package @portkey-ai/gateway (default bench/.cache/node_modules/@portkey-ai/gateway)
  --help           this text

It prints tables and writes bench/report.json, bench/report.html and bench/report.md.
`;

export class UsageError extends Error {}

export interface Options {
  readonly isQuick: boolean;
  readonly wantsHelp: boolean;
  readonly against: string | undefined;
  readonly only: readonly MeasurementId[];
  readonly rounds: number | undefined;
  readonly portkeyFolder: string;
}

const ROUNDS_MAX = 50;

export function readOptions(args: readonly string[]): Options {
  const values = parsed(args);
  return {
    isQuick: values.quick,
    wantsHelp: values.help,
    against: values.against,
    only: values.only === undefined ? MEASUREMENT_IDS : values.only.split(",").map(measurementOf),
    rounds: values.rounds === undefined ? undefined : roundsOf(values.rounds),
    portkeyFolder: values.portkey ?? PORTKEY_FOLDER,
  };
}

function parsed(args: readonly string[]) {
  try {
    // pnpm hands a bare `--` on.
    return parseArgs({
      args: args.filter((arg) => arg !== "--"),
      options: {
        quick: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        against: { type: "string" },
        only: { type: "string" },
        rounds: { type: "string" },
        portkey: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function measurementOf(name: string): MeasurementId {
  const found = MEASUREMENT_IDS.find((id) => id === name.trim());
  if (found === undefined) {
    throw new UsageError(`--only takes names of ${MEASUREMENT_IDS.join(", ")}, not "${name}"`);
  }
  return found;
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw new UsageError(`--rounds takes a whole number from 1 to ${ROUNDS_MAX}, not "${text}"`);
}
