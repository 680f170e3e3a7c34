/** The command line of the bench. Throws {@link UsageError} with one sentence for what it does not understand. */
import { parseArgs } from "node:util";
import { PORTKEY_FOLDER } from "./contenders/portkey.ts";
import { MEASUREMENT_IDS, type MeasurementId, USUAL_IDS } from "./result.ts";

const MINUTES_MAX = 1_440;

export const HELP = `pnpm bench [options]: load-tests the gateway against an imitated Gemini on this machine

  --quick          everything once and small, under two minutes: shows that it works, not how fast
  --against REV    holds the working tree against another revision of this repository, in turns
  --only LIST      some of the measurements: ${MEASUREMENT_IDS.join(", ")}
                   (without it all but soak and profile)
  --soak-minutes N length of the soak, 1 to ${MINUTES_MAX} (default 60)
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
  readonly soakMinutes: number | undefined;
  readonly portkeyFolder: string;
}

const ROUNDS_MAX = 50;

export function readOptions(args: readonly string[]): Options {
  const values = parsed(args);
  return {
    isQuick: values.quick,
    wantsHelp: values.help,
    against: values.against,
    only: values.only === undefined ? USUAL_IDS : values.only.split(",").map(measurementOf),
    rounds: wholeNumber("--rounds", values.rounds, ROUNDS_MAX),
    soakMinutes: wholeNumber("--soak-minutes", values["soak-minutes"], MINUTES_MAX),
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
        "soak-minutes": { type: "string" },
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

function wholeNumber(flag: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`${flag} takes a whole number from 1 to ${most}, not "${text}"`);
}
