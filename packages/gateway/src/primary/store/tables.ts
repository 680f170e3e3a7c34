/** The tables of one open database as one object. Primary thread (and the command line). */
import type Database from "better-sqlite3";
import { banTable, type BanTable } from "./ban-table.ts";
import { clientRows, type ClientRows } from "./client-rows.ts";
import { conversationRows, type ConversationRows } from "./conversation-rows.ts";
import { keyTable, type KeyTable } from "./key-table.ts";
import { metaTable, type MetaTable } from "./meta-table.ts";
import { modelStates, type ModelStates } from "./model-states.ts";
import { requestLog, type RequestLog } from "./request-log.ts";
import { resourceTable, type ResourceTable } from "./resource-table.ts";
import { testTable, type TestTable } from "./test-table.ts";

export interface Tables {
  readonly keys: KeyTable;
  readonly models: ModelStates;
  readonly requests: RequestLog;
  readonly meta: MetaTable;
  readonly bans: BanTable;
  readonly clients: ClientRows;
  readonly tests: TestTable;
  readonly resources: ResourceTable;
  readonly conversations: ConversationRows;
}

/** The database must have the present schema. */
export function tablesOf(database: Database.Database): Tables {
  return {
    keys: keyTable(database),
    models: modelStates(database),
    requests: requestLog(database),
    meta: metaTable(database),
    bans: banTable(database),
    clients: clientRows(database),
    tests: testTable(database),
    resources: resourceTable(database),
    conversations: conversationRows(database),
  };
}
