/**
 * The commands on bans and named clients: what may be asked, how it is checked, and to whom it goes. Primary thread.
 *
 * | route | body | answer |
 * | GET /bans | | BanRow[] |
 * | POST /bans | AddBansRequest | BanRow[] |
 * | POST /bans/remove | RemoveBansRequest | RemoveBansReport |
 * | GET /clients | | ClientListRow[] |
 * | POST /clients | AddClientRequest | ClientListRow |
 * | POST /clients/revoke | RevokeClientsRequest | RevokeClientsReport |
 */
import type { ClientLimits } from "@gemini-gateway/core/limits/client-quota";
import { MODEL_PATTERN } from "@gemini-gateway/core/limits/model-patterns";
import type {
  AddBansRequest,
  AddClientRequest,
  GuardHandlers,
  RemoveBansRequest,
  RevokeClientsRequest,
} from "./guard-types.ts";
import { OperatorError } from "./operator-error.ts";

/** Networks or names in one command. */
export const GUARD_ITEMS_MAX = 10_000;
/** Patterns of models one client may have. */
export const MODEL_PATTERNS_MAX = 100;
export const CLIENT_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
export const NOTE_LENGTH_MAX = 200;

const DIGEST = /^[0-9a-f]{64}$/;
const LIMIT_NAMES = [
  "requestsPerMinute",
  "requestsPerDay",
  "tokensPerMinute",
  "tokensPerDay",
  "concurrency",
] as const satisfies readonly (keyof ClientLimits)[];
/** Counts of the shared table end there. */
export const CLIENT_LIMIT_MAX = 4_000_000_000;

type Fields = Readonly<Record<string, unknown>>;

/** The answer to a command about bans or clients; undefined when the route is none of these. */
export async function guardAnswer(
  route: string,
  readJson: () => Promise<unknown>,
  handlers: GuardHandlers,
): Promise<object | undefined> {
  switch (route) {
    case "GET /bans":
      return handlers.listBans();
    case "POST /bans":
      return handlers.addBans(readAddBans(await readJson()));
    case "POST /bans/remove":
      return handlers.removeBans(readRemoveBans(await readJson()));
    case "GET /clients":
      return handlers.listClients();
    case "POST /clients":
      return handlers.addClient(readAddClient(await readJson()));
    case "POST /clients/revoke":
      return handlers.revokeClients(readRevokeClients(await readJson()));
    default:
      return undefined;
  }
}

function readAddBans(body: unknown): AddBansRequest {
  const { networks, durationMs, note } = fieldsOf(body);
  const isNote = note === null || (typeof note === "string" && note.length <= NOTE_LENGTH_MAX);
  if (!areTexts(networks) || !isSpan(durationMs) || !isNote) {
    throw bad("The command to ban has a list of networks, a duration or null, and a note or null.");
  }
  return { networks, durationMs, note };
}

function readRemoveBans(body: unknown): RemoveBansRequest {
  const { networks } = fieldsOf(body);
  if (!areTexts(networks)) throw bad("The command to end bans has a list of networks.");
  return { networks };
}

function readAddClient(body: unknown): AddClientRequest {
  const { name, digest, limits, models, expiresInMs } = fieldsOf(body);
  if (typeof name !== "string" || !CLIENT_NAME.test(name) || name === "anonymous") {
    throw bad("The name of a client begins with a letter and has at most 64 letters, digits, dots, - and _.");
  }
  if (typeof digest !== "string" || !DIGEST.test(digest)) throw bad("The digest of the secret is missing.");
  if (
    !areTexts(models) ||
    models.length > MODEL_PATTERNS_MAX ||
    !models.every((model) => MODEL_PATTERN.test(model))
  ) {
    throw bad(`Models are at most ${MODEL_PATTERNS_MAX} names, in which * stands for anything.`);
  }
  if (!isSpan(expiresInMs)) throw bad("The time until a client expires is a number of milliseconds or null.");
  return { name, digest, limits: readLimits(limits), models, expiresInMs };
}

function readLimits(value: unknown): ClientLimits {
  const fields = fieldsOf(value);
  for (const name of LIMIT_NAMES) {
    const limit = fields[name];
    if (!Number.isInteger(limit) || Number(limit) < 0 || Number(limit) > CLIENT_LIMIT_MAX) {
      throw bad(`The limit ${name} of a client is a whole number from 0 to ${CLIENT_LIMIT_MAX}.`);
    }
  }
  return value as ClientLimits;
}

function readRevokeClients(body: unknown): RevokeClientsRequest {
  const { names } = fieldsOf(body);
  if (!areTexts(names)) throw bad("The command to revoke clients has a list of names.");
  return { names };
}

function fieldsOf(body: unknown): Fields {
  return typeof body === "object" && body !== null ? (body as Fields) : {};
}

function areTexts(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length <= GUARD_ITEMS_MAX && value.every((item) => typeof item === "string")
  );
}

/** A span of time, or null for no end. */
function isSpan(value: unknown): value is number | null {
  return value === null || (typeof value === "number" && Number.isFinite(value) && value > 0);
}

function bad(message: string): OperatorError {
  return new OperatorError("bad-request", message);
}
