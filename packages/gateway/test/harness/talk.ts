/** Conversations with signatures, as a client holds them that sends everything again with each turn. */
import type { Emulator } from "gemini-emulator";
import { asked, type Json } from "./owned-things.ts";
import { eventsOf, MODEL } from "./requests.ts";

export const GENERATE = `/v1beta/models/${MODEL}:generateContent`;
export const STREAM = `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`;
const TOOLS = [{ functionDeclarations: [{ name: "look" }] }];

/** Where the gateway is, which may be elsewhere after a restart. */
interface Reached {
  readonly url: string;
}

interface Turn {
  readonly role: string;
  readonly parts: readonly Json[];
}

interface Piece {
  readonly candidates?: readonly { readonly content?: Turn }[];
}

/** A conversation of calls of a function, each signed by the project that made it. */
export class Talk {
  readonly #gateway: Reached;
  readonly #turns: Turn[];
  readonly #headers: Readonly<Record<string, string>>;

  constructor(gateway: Reached, opening: string, headers: Readonly<Record<string, string>> = {}) {
    this.#gateway = gateway;
    this.#turns = [{ role: "user", parts: [{ text: `${opening}: call look` }] }];
    this.#headers = headers;
  }

  /** One request; the model's turn and the function's result are put behind it. */
  async goOn(path = GENERATE): Promise<number> {
    const body = { contents: this.#turns, tools: TOOLS };
    const { status, text, json } = await asked(
      this.#gateway.url,
      { method: "POST", path, body },
      this.#headers,
    );
    const pieces = (path === GENERATE ? [json] : eventsOf(text)) as readonly Piece[];
    const parts = pieces.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
    if (parts.length > 0) this.#turns.push({ role: "model", parts });
    const result = { functionResponse: { name: "look", response: { seen: "nothing" } } };
    this.#turns.push({ role: "user", parts: [result, { text: "call look" }] });
    return status;
  }
}

/** Projects of the calls so far. */
export function projectsOf({ emulator }: { readonly emulator: Emulator }): string[] {
  return emulator.calls.recent().map(({ project }) => project);
}

/** How many requests of conversations stayed and moved; the gateway must know the auth key of {@link AUTH}. */
export async function conversationsOf({ url }: Reached): Promise<Json> {
  const { json } = await asked(
    url,
    { method: "GET", path: "/status" },
    { "x-goog-api-key": "secret-of-test" },
  );
  return json["conversations"] as Json;
}

export const AUTH = { "auth-key": ["test=secret-of-test"] };
