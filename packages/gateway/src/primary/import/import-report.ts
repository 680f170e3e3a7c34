/** What an import did, or would do: what is printed and given to programs. Types. Holds no key and no value of a setting. */
import type { LeftSetting } from "./map-settings.ts";

export interface StateCounts {
  readonly good: number;
  readonly dead: number;
  /** Known by tests that say nothing of the key itself. */
  readonly unknown: number;
}

export interface ImportReport {
  readonly folder: string;
  readonly isDryRun: boolean;
  /** The configuration file written; null when there was nothing to write. */
  readonly configFile: string | null;
  readonly settings: readonly { readonly name: string; readonly line: number; readonly option: string }[];
  readonly settingsLeft: readonly LeftSetting[];
  readonly keys: {
    /** Name of the key file they were put into. */
    readonly file: string;
    readonly added: number;
    readonly alreadyThere: number;
    readonly inDatabaseOnly: number;
  };
  readonly states: StateCounts;
  readonly bans: { readonly taken: number; readonly odd: number; readonly ended: number };
  readonly unknownTables: readonly string[];
  readonly oddRows: number;
  readonly unread: readonly string[];
}
