/** Bans and named clients of a test's gateway, by the way the command line takes. */
import { hash } from "node:crypto";
import { type GuardCommands, guardCommands } from "../../src/control/guard-commands.ts";
import type { AddClientRequest } from "../../src/control/guard-types.ts";
import type { Pool } from "./pool.ts";

export function guardOf({ config }: Pool): GuardCommands {
  return guardCommands({ database: config.database, isTaken: () => false, nowMs: Date.now });
}

/** Adds a client without limits but those given, whose secret is `secret-of-NAME`; returns the secret. */
export async function addClient(
  pool: Pool,
  name: string,
  {
    limits,
    ...rest
  }: Partial<Omit<AddClientRequest, "limits">> & { limits?: Partial<AddClientRequest["limits"]> } = {},
): Promise<string> {
  const secret = `secret-of-${name}`;
  const none = {
    requestsPerMinute: 0,
    requestsPerDay: 0,
    tokensPerMinute: 0,
    tokensPerDay: 0,
    concurrency: 0,
  };
  const digest = hash("sha256", secret, "hex");
  await guardOf(pool).addClient({
    name,
    digest,
    models: [],
    expiresInMs: null,
    ...rest,
    limits: { ...none, ...limits },
  });
  return secret;
}
