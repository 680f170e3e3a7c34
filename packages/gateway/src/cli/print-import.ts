/** Puts into words what an import took over and what it could not. Pure. */
import type { ImportReport } from "../primary/import/import-report.ts";
import { cell } from "./table.ts";

/** Lines of one list; the rest is counted. */
const LISTED_MAX = 100;

export function importText(report: ImportReport): string {
  return [...takenLines(report), ...leftLines(report), ...nextLines(report)].join("\n");
}

function takenLines({ isDryRun, settings, configFile, keys, states, bans }: ImportReport): string[] {
  const verb = isDryRun ? "would be taken over" : "taken over";
  const known = keys.alreadyThere === 0 ? "" : ` (${keys.alreadyThere} were here already)`;
  return [
    `Keys ${verb}: ${keys.added} into ${keys.file}${known}.`,
    `Key states ${verb}: ${states.good} good, ${states.dead} refused, ${states.unknown} to be tested.`,
    `Bans ${verb}: ${bans.taken}.`,
    `Settings ${verb}: ${settings.length}${configFile === null ? "" : ` into ${cell(configFile)}`}.`,
    ...bounded(
      settings.map(({ name, line, option }) => `config.py line ${line}: ${cell(name)} is ${option}`),
    ),
  ];
}

function leftLines(report: ImportReport): string[] {
  const { settingsLeft, keys, bans, unknownTables, oddRows, unread } = report;
  const lines = [
    ...unread.map(cell),
    ...settingsLeft.map(({ name, line, why }) => `config.py line ${line}: ${cell(name)}: ${why}`),
    ...(keys.inDatabaseOnly === 0
      ? []
      : [`${keys.inDatabaseOnly} keys that stand in the database but in no key file`]),
    ...(bans.ended === 0 ? [] : [`${bans.ended} bans that are over`]),
    ...(bans.odd === 0 ? [] : [`${bans.odd} bans of what is no address`]),
    ...unknownTables.map(
      (table) => `the table ${cell(table)}, which holds neither keys nor bans as far as can be told`,
    ),
    ...(oddRows === 0 ? [] : [`${oddRows} rows of the database that made no sense`]),
  ];
  return lines.length === 0 ? [] : ["Not taken over:", ...bounded(lines)];
}

function nextLines({ isDryRun, configFile }: ImportReport): string[] {
  if (isDryRun) return ["Nothing was written."];
  return [`Start it with: gemini-gateway serve${configFile === null ? "" : ` --config ${cell(configFile)}`}`];
}

function bounded(lines: readonly string[]): string[] {
  const listed = lines.slice(0, LISTED_MAX).map((line) => `  ${line}`);
  return listed.length < lines.length ? [...listed, `  and ${lines.length - listed.length} more`] : listed;
}
