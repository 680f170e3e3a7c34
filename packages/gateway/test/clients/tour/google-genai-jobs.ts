/** Stops of `@google/genai`: what takes its time. Batches of requests and of a file, file search stores, videos. */
import { JobState, type GoogleGenAI } from "@google/genai";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { CHAT_MODEL, EMBEDDING_MODEL } from "../../harness/client-pools.ts";
import { collect } from "../../harness/collect.ts";
import { downloaded, uploaded } from "./google-genai-files.ts";
import { clientOf, expectGone, type Generation } from "./google-genai.ts";
import { ownerOf, polled, replyOf, type Stop, type World } from "./stop.ts";

const VIDEO_MODEL = "veo-3.1-generate-preview";
const JSONL = "application/jsonl";

export function jobStops(generation: Generation, world: World): readonly Stop[] {
  const ai = (): GoogleGenAI => clientOf(generation, world);
  const always = [batch(ai, world), cancelledBatch(ai, world), batchOfFile(ai, world), embeddings(ai, world)];
  return generation.makesVideos ? [...always, video(ai, world)] : always;
}

function batch(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "batch",
    make: async () => {
      const contents = [{ role: "user", parts: [{ text: "one" }] }];
      const { name = "" } = await ai().batches.create({ model: CHAT_MODEL, src: [{ contents }] });
      const owner = ownerOf(world, name);
      return {
        name,
        owner,
        visit: async () => {
          const { dest } = await finishedBatch(ai(), name);
          expect(JSON.stringify(dest?.inlinedResponses)).toContain(`project ${owner}`);
        },
        find: async () => {
          const batches = await collect(await ai().batches.list({ config: { pageSize: 3 } }));
          expect(batches.map((listed) => listed.name)).toContain(name);
        },
        leave: async () => {
          await ai().batches.delete({ name });
          await expectGone(ai().batches.get({ name }));
        },
      };
    },
  };
}

function cancelledBatch(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "batch that is cancelled",
    make: async () => {
      const contents = [{ role: "user", parts: [{ text: "one" }] }];
      const { name = "" } = await ai().batches.create({ model: CHAT_MODEL, src: [{ contents }] });
      await ai().batches.cancel({ name });
      return {
        name,
        owner: ownerOf(world, name),
        visit: async () => {
          expect((await ai().batches.get({ name })).state).toBe(JobState.JOB_STATE_CANCELLED);
        },
        leave: () =>
          ai()
            .batches.delete({ name })
            .then(() => {}),
      };
    },
  };
}

function batchOfFile(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "batch of a file",
    make: async () => {
      const request = { contents: [{ role: "user", parts: [{ text: "two" }] }] };
      const { name: fileName } = await uploaded(ai(), `${JSON.stringify({ key: "k", request })}\n`, JSONL);
      const { name = "" } = await ai().batches.create({ model: CHAT_MODEL, src: { fileName } });
      const owner = ownerOf(world, name);
      expect(owner).toBe(ownerOf(world, fileName));
      return {
        name,
        owner,
        visit: async () => {
          const { dest } = await finishedBatch(ai(), name);
          const lines = await downloaded(ai(), dest?.fileName ?? "", world);
          expect(lines).toContain(`project ${owner}`);
        },
        leave: () =>
          ai()
            .batches.delete({ name })
            .then(() => {}),
      };
    },
  };
}

/** The client writes `file_name` here, and `fileName` everywhere else. */
function embeddings(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "batch of embeddings",
    make: async () => {
      const request = { content: { parts: [{ text: "three" }] } };
      const { name: fileName } = await uploaded(ai(), `${JSON.stringify({ key: "k", request })}\n`, JSONL);
      const { name = "" } = await ai().batches.createEmbeddings({
        model: EMBEDDING_MODEL,
        src: { fileName },
      });
      expect(ownerOf(world, name)).toBe(ownerOf(world, fileName));
      return {
        name,
        owner: ownerOf(world, name),
        visit: () => finishedBatch(ai(), name).then(() => {}),
        leave: () =>
          ai()
            .batches.delete({ name })
            .then(() => {}),
      };
    },
  };
}

type Batch = Awaited<ReturnType<GoogleGenAI["batches"]["get"]>>;

function finishedBatch(ai: GoogleGenAI, name: string): Promise<Batch> {
  const isDone = ({ state }: Batch): boolean => state === JobState.JOB_STATE_SUCCEEDED;
  return polled(() => ai.batches.get({ name }), isDone);
}

function video(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "video",
    make: async () => {
      const operation = await ai().models.generateVideos({ model: VIDEO_MODEL, source: { prompt: "waves" } });
      const { name = "" } = operation;
      const owner = ownerOf(world, name);
      return {
        name,
        owner,
        visit: async () => {
          const ask = (): Promise<typeof operation> => ai().operations.getVideosOperation({ operation });
          const { response } = await polled(ask, ({ done }) => done === true);
          const downloadPath = join(world.folder, randomUUID());
          await ai().files.download({ file: response?.generatedVideos?.[0] ?? "", downloadPath });
          expect(await readFile(downloadPath, "utf8")).toBe(`emulated video of project ${owner}: waves`);
        },
        leave: () => Promise.resolve(),
      };
    },
  };
}

/** The stops of file search, whose imports need a store and a file of the same project. */
export function storeStops(generation: Generation, world: World): readonly Stop[] {
  const ai = (): GoogleGenAI => clientOf(generation, world);
  return [store(ai, world), storeWithImport(generation, world)];
}

function store(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "file search store",
    make: async () => {
      const { name = "" } = await ai().fileSearchStores.create({ config: { displayName: "of the tour" } });
      const owner = ownerOf(world, name);
      const operation = await ai().fileSearchStores.uploadToFileSearchStore({
        fileSearchStoreName: name,
        file: new Blob(["hello"], { type: "text/plain" }),
        config: { mimeType: "text/plain", displayName: "a document" },
      });
      return {
        name,
        owner,
        visit: async () => {
          expect(await ai().operations.get({ operation })).toMatchObject({ done: true });
          expect(await ai().fileSearchStores.get({ name })).toMatchObject({ activeDocumentsCount: "1" });
          const [document] = await documentsOf(ai(), name);
          expect(await ai().fileSearchStores.documents.get({ name: document ?? "" })).toMatchObject({
            displayName: "a document",
          });
          await expectSearched(ai(), name, owner);
        },
        find: async () => {
          const stores = await collect(await ai().fileSearchStores.list({ config: { pageSize: 3 } }));
          expect(stores.map((listed) => listed.name)).toContain(name);
        },
        leave: async () => {
          await ai().fileSearchStores.delete({ name, config: { force: true } });
          await expectGone(ai().fileSearchStores.get({ name }));
        },
      };
    },
  };
}

/** A session of the gateway's keeps store and file together; Google itself ignores the header. */
function storeWithImport(generation: Generation, world: World): Stop {
  const ai = (headers = {}): GoogleGenAI => clientOf(generation, world, { headers });
  return {
    name: "file search store with a file that is imported",
    make: async () => {
      const inSession = ai({ "x-gateway-session": `import ${randomUUID()}` });
      const { name = "" } = await inSession.fileSearchStores.create({});
      const { name: fileName } = await uploaded(inSession, "hello");
      const owner = ownerOf(world, name);
      expect(ownerOf(world, fileName)).toBe(owner);
      const operation = await ai().fileSearchStores.importFile({ fileSearchStoreName: name, fileName });
      return {
        name,
        owner,
        visit: async () => {
          await polled(
            () => ai().operations.get({ operation }),
            ({ done }) => done === true,
          );
          expect(await documentsOf(ai(), name)).toHaveLength(1);
        },
        leave: () => ai().fileSearchStores.delete({ name, config: { force: true } }),
      };
    },
  };
}

async function documentsOf(ai: GoogleGenAI, parent: string): Promise<readonly string[]> {
  const documents = await collect(await ai.fileSearchStores.documents.list({ parent }));
  return documents.map(({ name = "" }) => name);
}

async function expectSearched(ai: GoogleGenAI, name: string, owner: string): Promise<void> {
  const answer = await ai.models.generateContent({
    model: CHAT_MODEL,
    contents: "search",
    config: { tools: [{ fileSearch: { fileSearchStoreNames: [name] } }] },
  });
  expect(answer.text).toBe(replyOf(owner, "search"));
}
