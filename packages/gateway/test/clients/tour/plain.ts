/**
 * Stops without a client, with plain fetch: what no client has a call for, and uploads as samples for curl make them,
 * without a credential after the first leg.
 */
import { expect } from "vitest";
import { CHAT_MODEL } from "../../harness/client-pools.ts";
import { CLIENT_KEY, ownerOf, polled, type Stop, type World } from "./stop.ts";

type Json = Readonly<Record<string, unknown>>;

/** The emulator's granularity: what is no last chunk has to be a multiple of it. */
const CHUNK_BYTES = 256 * 1024;

/** The status of an answer that is no success, with what it says. */
class AnswerError extends Error {
  readonly status: number;

  constructor(status: number, body: string) {
    super(`${status} ${body}`);
    this.status = status;
  }
}

export function plainStops(world: World): readonly Stop[] {
  const collections = ["agents", "environments", "credentials", "triggers", "voices", "webhooks"];
  return [
    tunedModel(world),
    video(world),
    continued(world),
    halfwayUpload(world, "POST"),
    halfwayUpload(world, "PUT"),
    ...collections.map((collection) => inCollection(world, collection)),
  ];
}

/** An answer that is a success. */
async function asked(world: World, path: string, body?: unknown, method?: string): Promise<Response> {
  const response = await fetch(`${world.url}${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { "x-goog-api-key": CLIENT_KEY, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new AnswerError(response.status, await response.text());
  return response;
}

async function json(world: World, path: string, body?: unknown, method?: string): Promise<Json> {
  return (await (await asked(world, path, body, method)).json()) as Json;
}

function tunedModel(world: World): Stop {
  return {
    name: "tuned model",
    make: async () => {
      const tuning = { displayName: "t", baseModel: `models/${CHAT_MODEL}`, tuningTask: {} };
      const { name: operation, metadata } = await json(world, "/v1beta/tunedModels", tuning);
      const { tunedModel: name } = metadata as { readonly tunedModel: string };
      return {
        name,
        owner: ownerOf(world, name),
        visit: async () => {
          const ask = (): Promise<Json> => json(world, `/v1beta/${String(operation)}`);
          const { response } = await polled(ask, ({ done }) => done === true);
          expect(response).toMatchObject({ name });
          expect(await json(world, `/v1beta/${name}`)).toMatchObject({ name, state: "ACTIVE" });
        },
        find: () => expectListed(world, "/v1beta/tunedModels", name),
        leave: async () => {
          await json(world, `/v1beta/${name}`, undefined, "DELETE");
          await expect(json(world, `/v1beta/${name}`)).rejects.toMatchObject({ status: 403 });
        },
      };
    },
  };
}

async function expectListed(world: World, path: string, name: string): Promise<void> {
  for (let token = ""; ;) {
    const page = await json(world, `${path}?pageSize=3&pageToken=${encodeURIComponent(token)}`);
    if (JSON.stringify(page).includes(`"${name}"`)) return;
    const next = page["nextPageToken"] ?? page["next_page_token"];
    token = typeof next === "string" ? next : "";
    if (token === "") throw new Error(`${path} does not list ${name}`);
  }
}

/** By way of both paths that give the bytes: the one that redirects, and the one that does not. */
function video(world: World): Stop {
  return {
    name: "video",
    make: async () => {
      const path = "/v1beta/models/veo-3.1-generate-preview:predictLongRunning";
      const { name } = await json(world, path, { instances: [{ prompt: "waves" }] });
      const owner = ownerOf(world, String(name));
      return {
        name: String(name),
        owner,
        visit: async () => {
          const ask = (): Promise<Json> => json(world, `/v1beta/${String(name)}`);
          const done = await polled(ask, (operation) => operation["done"] === true);
          const [, file] = /"uri": ?"[^"]*\/(files\/\w+)/.exec(JSON.stringify(done)) ?? [];
          for (const way of ["/v1beta", "/download/v1beta"]) {
            const bytes = await asked(world, `${way}/${file ?? ""}:download?alt=media`);
            expect(await bytes.text()).toBe(`emulated video of project ${owner}: waves`);
          }
        },
        leave: () => Promise.resolve(),
      };
    },
  };
}

interface Continued {
  readonly candidates: readonly {
    readonly content?: { readonly parts?: readonly { readonly text?: string }[] };
  }[];
}

function continued(world: World): Stop {
  const path = `/v1beta/models/${CHAT_MODEL}:generateContent`;
  const contents = [{ role: "user", parts: [{ text: "continue 1 times" }] }];
  const textOf = ({ candidates: [first] }: Continued): string => first?.content?.parts?.[0]?.text ?? "";
  return {
    name: "continuation",
    make: async () => {
      const first = await json(world, path, { contents });
      const [, token] = /"continuationToken": ?"([^"]+)"/.exec(JSON.stringify(first)) ?? [];
      const beginning = textOf(first as unknown as Continued);
      const [, owner = ""] = /^Part 1 from project (\w+)\. $/.exec(beginning) ?? [];
      return {
        name: "",
        owner,
        visit: async () => {
          const rest = await json(world, path, { contents, continuationToken: token });
          const text = beginning + textOf(rest as unknown as Continued);
          expect(text).toBe(`Part 1 from project ${owner}. Part 2 from project ${owner}. `);
        },
        leave: () => Promise.resolve(),
      };
    },
  };
}

/** Begun, gone on with by visits that ask how far it is, and finished when it is left. */
function halfwayUpload(world: World, method: "POST" | "PUT"): Stop {
  const leg = async (path: string, headers: Record<string, string>, body?: Buffer): Promise<Response> => {
    const response = await fetch(new URL(path, world.url), { method, headers, ...(body && { body }) });
    if (!response.ok) throw new AnswerError(response.status, await response.text());
    return response;
  };
  const chunk = Buffer.alloc(CHUNK_BYTES, "c");
  return {
    name: `upload by ${method}`,
    make: async () => {
      const path = await begunUpload(world, chunk.length + 4);
      const id = new URL(path, world.url).searchParams.get("upload_id");
      const owner = ownerOf(world, `upload:${id}`);
      await leg(path, { "x-goog-upload-command": "upload", "x-goog-upload-offset": "0" }, chunk);
      return {
        name: "",
        owner,
        visit: async () => {
          const { headers } = await leg(path, { "x-goog-upload-command": "query" });
          expect(headers.get("x-goog-upload-status")).toBe("active");
          expect(headers.get("x-goog-upload-size-received")).toBe(String(chunk.length));
        },
        leave: async () => {
          const last = {
            "x-goog-upload-command": "upload, finalize",
            "x-goog-upload-offset": String(chunk.length),
          };
          const { file } = (await (await leg(path, last, Buffer.from("last"))).json()) as { file: Json };
          expect(ownerOf(world, String(file["name"]))).toBe(owner);
          expect(await json(world, `/v1beta/${String(file["name"])}`)).toMatchObject({
            sizeBytes: String(chunk.length + 4),
          });
        },
      };
    },
  };
}

/** Begins an upload; gives path and query to go on with, since the address changes with a restart of a test's gateway. */
async function begunUpload(world: World, bytes: number): Promise<string> {
  const response = await fetch(`${world.url}/upload/v1beta/files`, {
    method: "POST",
    headers: {
      "x-goog-api-key": CLIENT_KEY,
      "content-type": "application/json",
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": String(bytes),
    },
    body: JSON.stringify({ file: { mimeType: "text/plain" } }),
  });
  if (!response.ok) throw new AnswerError(response.status, await response.text());
  const url = new URL(response.headers.get("x-goog-upload-url") ?? "");
  return url.pathname + url.search;
}

function inCollection(world: World, collection: string): Stop {
  return {
    name: collection,
    make: async () => {
      const { id } = await json(world, `/v1/${collection}`, { display_name: "of the tour" });
      const path = `/v1/${collection}/${String(id)}`;
      return {
        name: `${collection}/${String(id)}`,
        owner: ownerOf(world, `${collection}/${String(id)}`),
        visit: async () => expect(await json(world, path)).toMatchObject({ id }),
        find: () => expectListed(world, `/v1/${collection}`, String(id)),
        leave: async () => {
          await json(world, path, undefined, "DELETE");
          await expect(json(world, path)).rejects.toMatchObject({ status: 404 });
        },
      };
    },
  };
}
