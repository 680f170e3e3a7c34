/**
 * Stops of clients with ways of their own to upload: `@google/generative-ai` sends file and description in one body of
 * two parts, and the AI SDK shows no credential at the second leg.
 */
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { GoogleGenerativeAI } from "@google/generative-ai";
import { GoogleAICacheManager, GoogleAIFileManager } from "@google/generative-ai/server";
import { generateText, uploadFile } from "ai";
import { expect } from "vitest";
import { CHAT_MODEL } from "../../harness/client-pools.ts";
import { CLIENT_KEY, ownerOf, replyOf, type Stop, type World } from "./stop.ts";

export function generativeAiStops(world: World): readonly Stop[] {
  return [fileInOneRequest(world), cache(world)];
}

function fileInOneRequest(world: World): Stop {
  const files = (): GoogleAIFileManager => new GoogleAIFileManager(CLIENT_KEY, { baseUrl: world.url });
  return {
    name: "file",
    make: async () => {
      const { file } = await files().uploadFile(Buffer.from("hello"), { mimeType: "text/plain" });
      const owner = ownerOf(world, file.name);
      return {
        name: file.name,
        owner,
        visit: async () => {
          expect(await files().getFile(file.name)).toMatchObject({ name: file.name, sizeBytes: "5" });
          const model = new GoogleGenerativeAI(CLIENT_KEY).getGenerativeModel(
            { model: CHAT_MODEL },
            { baseUrl: world.url },
          );
          const fileData = { fileUri: file.uri, mimeType: "text/plain" };
          const { response } = await model.generateContent([{ fileData }, "read"]);
          expect(response.text()).toBe(replyOf(owner, "read"));
        },
        find: () => expectListed(files(), file.name),
        leave: async () => {
          await files().deleteFile(file.name);
          await expect(files().getFile(file.name)).rejects.toMatchObject({ status: 403 });
        },
      };
    },
  };
}

/** This client turns no pages by itself. */
async function expectListed(files: GoogleAIFileManager, name: string): Promise<void> {
  for (let pageToken = ""; ;) {
    const page = await files.listFiles({ pageSize: 3, ...(pageToken !== "" && { pageToken }) });
    if (page.files?.some((listed) => listed.name === name)) return;
    pageToken = page.nextPageToken ?? "";
    if (pageToken === "") throw new Error(`${name} is not listed`);
  }
}

function cache(world: World): Stop {
  const caches = (): GoogleAICacheManager => new GoogleAICacheManager(CLIENT_KEY, { baseUrl: world.url });
  const contents = [{ role: "user", parts: [{ text: "word".repeat(2_000) }] }];
  return {
    name: "cache",
    make: async () => {
      const made = await caches().create({ model: CHAT_MODEL, contents, ttlSeconds: 3_600 });
      const name = made.name ?? "";
      const owner = ownerOf(world, name);
      return {
        name,
        owner,
        visit: async () => {
          const content = await caches().get(name);
          const model = new GoogleGenerativeAI(CLIENT_KEY).getGenerativeModelFromCachedContent(
            content,
            {},
            { baseUrl: world.url },
          );
          const { response } = await model.generateContent("again");
          expect(response.text()).toBe(replyOf(owner, "again"));
        },
        leave: () => caches().delete(name),
      };
    },
  };
}

export function aiSdkStops(world: World): readonly Stop[] {
  const google = (): ReturnType<typeof createGoogleGenerativeAI> =>
    createGoogleGenerativeAI({ apiKey: CLIENT_KEY, baseURL: `${world.url}/v1beta` });
  return [
    {
      name: "file",
      make: async () => {
        const data = Buffer.from("hello");
        const { providerReference } = await uploadFile({
          api: google().files(),
          data,
          mediaType: "text/plain",
        });
        const name = /files\/\w+/.exec(JSON.stringify(providerReference))?.[0] ?? "";
        const owner = ownerOf(world, name);
        return {
          name,
          owner,
          visit: async () => {
            const file = { type: "file", data: providerReference, mediaType: "text/plain" } as const;
            const { text } = await generateText({
              model: google()(CHAT_MODEL),
              maxRetries: 0,
              messages: [{ role: "user", content: [file, { type: "text", text: "read" }] }],
            });
            expect(text).toBe(replyOf(owner, "read"));
          },
          leave: () => Promise.resolve(),
        };
      },
    },
  ];
}
