/** Makers of the things in owned-things.ts, one for every kind. Each knows what refers to its thing, in all spellings. */
import { type Asked, asked, type Json, made, type OwnedThing, uploadedFile } from "./owned-things.ts";
import { MODEL, promptBody } from "./requests.ts";

const GENERATE = `/v1beta/models/${MODEL}:generateContent`;
const STREAM = `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`;

function get(path: string): Asked {
  return { method: "GET", path };
}

function post(path: string, body: object = {}): Asked {
  return { method: "POST", path, body };
}

function deleting(path: string): Asked {
  return { method: "DELETE", path };
}

export function saying(text: string): Json {
  return JSON.parse(promptBody(text)) as Json;
}

type Maker = (url: string) => Promise<OwnedThing>;

async function makeFile(url: string): Promise<OwnedThing> {
  const { name, uri } = await uploadedFile(url);
  const ofUri = { contents: [{ parts: [{ fileData: { mimeType: "text/plain", fileUri: uri } }] }] };
  const inSnakeCase = { contents: [{ parts: [{ file_data: { file_uri: uri } }] }] };
  const job = { batch: { inputConfig: { fileName: name } } };
  const interaction = {
    model: MODEL,
    input: [
      { type: "document", uri },
      { type: "text", text: "hi" },
    ],
  };
  return {
    kind: "file",
    name,
    uses: [
      get(`/v1beta/${name}`),
      post(GENERATE, ofUri),
      post(STREAM, inSnakeCase),
      post(`/v1beta/models/${MODEL}:countTokens`, ofUri),
      post("/v1/interactions", interaction),
      post(`/v1beta/models/${MODEL}:batchGenerateContent`, job),
      get(`/v1beta/openai/files/${encodeURIComponent(name)}`),
    ],
    deletion: deleting(`/v1beta/${name}`),
  };
}

async function makeCache(url: string): Promise<OwnedThing> {
  const body = { model: `models/${MODEL}`, ...saying("word ".repeat(4_000)) };
  const name = String((await made(url, post("/v1beta/cachedContents", body)))["name"]);
  return {
    kind: "cache",
    name,
    uses: [
      get(`/v1beta/${name}`),
      post(GENERATE, { ...saying("hi"), cachedContent: name }),
      post(STREAM, { ...saying("hi"), cached_content: name }),
      { method: "PATCH", path: `/v1beta/${name}?updateMask=ttl`, body: { ttl: "7200s" } },
    ],
    deletion: deleting(`/v1beta/${name}`),
  };
}

async function makeBatch(url: string): Promise<OwnedThing> {
  const body = { batch: { inputConfig: { requests: { requests: [{ request: saying("hi") }] } } } };
  const path = `/v1beta/models/${MODEL}:batchGenerateContent`;
  const name = String((await made(url, post(path, body)))["name"]);
  return {
    kind: "batch",
    name,
    uses: [
      get(`/v1beta/${name}`),
      post(`/v1beta/${name}:cancel`),
      get(`/v1beta/openai/batches/${encodeURIComponent(name)}`),
    ],
    deletion: deleting(`/v1beta/${name}`),
  };
}

async function makeVideo(url: string): Promise<OwnedThing> {
  const path = "/v1beta/models/veo-3.1-generate-preview:predictLongRunning";
  const name = String((await made(url, post(path, { instances: [{ prompt: "a cat" }] })))["name"]);
  return { kind: "operation", name, uses: [get(`/v1beta/${name}`)], deletion: undefined };
}

async function makeStore(url: string): Promise<OwnedThing> {
  const name = String((await made(url, post("/v1beta/fileSearchStores", { displayName: "s" })))["name"]);
  const tools = [{ fileSearch: { fileSearchStoreNames: [name] } }];
  return {
    kind: "store",
    name,
    uses: [
      get(`/v1beta/${name}`),
      get(`/v1beta/${name}/documents`),
      post(GENERATE, { ...saying("hi"), tools }),
    ],
    deletion: deleting(`/v1beta/${name}?force=true`),
  };
}

async function makeTunedModel(url: string): Promise<OwnedThing> {
  const { name: operation, metadata } = await made(url, post("/v1beta/tunedModels", { displayName: "t" }));
  const name = String((metadata as Json)["tunedModel"]);
  return {
    kind: "tuned model",
    name,
    uses: [get(`/v1beta/${name}`), get(`/v1beta/${String(operation)}`)],
    deletion: deleting(`/v1beta/${name}`),
  };
}

async function makeInteraction(url: string): Promise<OwnedThing> {
  const id = String((await made(url, post("/v1/interactions", { model: MODEL, input: "hi" })))["id"]);
  const more = { model: MODEL, input: "and?", previous_interaction_id: id };
  return {
    kind: "interaction",
    name: `interactions/${id}`,
    uses: [
      get(`/v1/interactions/${id}`),
      get(`/v1/interactions/${id}?stream=true`),
      post("/v1/interactions", more),
      post("/v1/interactions", { ...more, stream: true }),
    ],
    deletion: deleting(`/v1/interactions/${id}`),
  };
}

async function makeEnvironment(url: string): Promise<OwnedThing> {
  const id = String((await made(url, post("/v1/environments")))["id"]);
  const body = { agent: "deep-research-pro", input: "hi", environment: id };
  return {
    kind: "environment",
    name: `environments/${id}`,
    uses: [get(`/v1/environments/${id}`), post("/v1/interactions", body)],
    deletion: deleting(`/v1/environments/${id}`),
  };
}

async function makeAgent(url: string): Promise<OwnedThing> {
  const id = String((await made(url, post("/v1/agents", { description: "mine" })))["id"]);
  return {
    kind: "agent",
    name: `agents/${id}`,
    uses: [get(`/v1/agents/${id}`), post("/v1/interactions", { agent: id, input: "hi" })],
    deletion: deleting(`/v1/agents/${id}`),
  };
}

function makerOf(collection: string): Maker {
  return async (url) => {
    const id = String((await made(url, post(`/v1/${collection}`)))["id"]);
    const path = `/v1/${collection}/${id}`;
    return { kind: collection, name: `${collection}/${id}`, uses: [get(path)], deletion: deleting(path) };
  };
}

async function makeContinuation(url: string): Promise<OwnedThing> {
  const prompt = saying("continue 1 times");
  const { text } = await asked(url, post(GENERATE, prompt));
  const [, token = ""] = /"continuationToken":\s*"([^"]+)"/.exec(text) ?? [];
  const streamed = await asked(url, post(STREAM, prompt));
  const [, other = ""] = /"continuationToken":\s*"([^"]+)"/.exec(streamed.text) ?? [];
  return {
    kind: "continuation",
    name: "",
    uses: [
      post(GENERATE, { ...prompt, continuationToken: token }),
      post(STREAM, { ...prompt, continuation_token: other }),
    ],
    deletion: undefined,
  };
}

async function makeOpenaiFile(url: string): Promise<OwnedThing> {
  const form = new FormData();
  form.set("purpose", "batch");
  const line = {
    custom_id: "1",
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: MODEL, messages: [] },
  };
  form.set("file", new Blob([JSON.stringify(line)]), "requests.jsonl");
  const response = await fetch(`${url}/v1beta/openai/files`, {
    method: "POST",
    headers: { authorization: "Bearer client" },
    body: form,
  });
  const { id } = (await response.json()) as { id: string };
  const path = `/v1beta/openai/files/${encodeURIComponent(id)}`;
  const job = { input_file_id: id, endpoint: "/v1/chat/completions", completion_window: "24h" };
  return {
    kind: "compatible file",
    name: id.startsWith("files/") ? id : `files/${id}`,
    uses: [get(path), get(`${path}/content`), post("/v1beta/openai/batches", job)],
    deletion: deleting(path),
  };
}

export const MAKERS: readonly Maker[] = [
  makeFile,
  makeCache,
  makeBatch,
  makeVideo,
  makeStore,
  makeTunedModel,
  makeInteraction,
  makeEnvironment,
  makeAgent,
  makerOf("credentials"),
  makerOf("triggers"),
  makerOf("voices"),
  makerOf("webhooks"),
  makeContinuation,
  makeOpenaiFile,
];
