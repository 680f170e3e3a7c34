/** Stops of `@google/genai`: files in one leg and in two, caches, and a cache made of a file. */
import type { GoogleGenAI } from "@google/genai";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { CHAT_MODEL } from "../../harness/client-pools.ts";
import { collect } from "../../harness/collect.ts";
import { clientOf, expectGone, type Generation } from "./google-genai.ts";
import { ownerOf, replyOf, type Stop, type World } from "./stop.ts";

/** The client's own chunks are of 8 MiB: this takes two legs. */
const LONG_BYTES = 8 * 1024 * 1024 + 1;
/** More than the smallest cache, of four bytes a token. */
const LONG_TEXT = "word".repeat(2_000);

export function fileStops(generation: Generation, world: World): readonly Stop[] {
  const ai = (): GoogleGenAI => clientOf(generation, world);
  return [shortFile(ai, world), longFile(ai, world), cache(ai, world), cacheOfFile(ai, world)];
}

/** A text of some bytes, uploaded; gives its name and address. */
export async function uploaded(
  ai: GoogleGenAI,
  text: string,
  mimeType = "text/plain",
): Promise<{ readonly name: string; readonly uri: string }> {
  const { name = "", uri = "" } = await ai.files.upload({
    file: new Blob([text], { type: mimeType }),
    config: { mimeType, displayName: "of the tour" },
  });
  return { name, uri };
}

/** What a file holds, by the client's own way to get it. */
export async function downloaded(ai: GoogleGenAI, name: string, world: World): Promise<string> {
  const downloadPath = join(world.folder, randomUUID());
  await ai.files.download({ file: name, downloadPath });
  return readFile(downloadPath, "utf8");
}

function shortFile(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "file",
    make: async () => {
      const { name, uri } = await uploaded(ai(), "hello");
      const owner = ownerOf(world, name);
      return {
        name,
        owner,
        visit: async () => {
          expect(await ai().files.get({ name })).toMatchObject({ name, uri, sizeBytes: "5" });
          const parts = [{ fileData: { fileUri: uri, mimeType: "text/plain" } }, { text: "read" }];
          const answer = await ai().models.generateContent({ model: CHAT_MODEL, contents: parts });
          expect(answer.text).toBe(replyOf(owner, "read"));
          expect(await downloaded(ai(), name, world)).toBe("hello");
        },
        find: async () => {
          const files = await collect(await ai().files.list({ config: { pageSize: 3 } }));
          expect(files.map((listed) => listed.name)).toContain(name);
        },
        leave: async () => {
          await ai().files.delete({ name });
          await expectGone(ai().files.get({ name }));
        },
      };
    },
  };
}

function longFile(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "file in two legs",
    make: async () => {
      const blob = new Blob([Buffer.alloc(LONG_BYTES, "a")], { type: "application/octet-stream" });
      const { name = "" } = await ai().files.upload({ file: blob });
      return {
        name,
        owner: ownerOf(world, name),
        visit: async () => {
          expect(await ai().files.get({ name })).toMatchObject({ sizeBytes: String(LONG_BYTES) });
        },
        leave: () =>
          ai()
            .files.delete({ name })
            .then(() => expectGone(ai().files.get({ name }))),
      };
    },
  };
}

function cache(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "cache",
    make: async () => {
      const { name = "" } = await ai().caches.create({
        model: CHAT_MODEL,
        config: { contents: LONG_TEXT, ttl: "3600s" },
      });
      const owner = ownerOf(world, name);
      return {
        name,
        owner,
        visit: async () => {
          expect(await ai().caches.get({ name })).toMatchObject({ name });
          await ai().caches.update({ name, config: { ttl: "7200s" } });
          await expectCached(ai(), name, owner);
        },
        find: async () => {
          const caches = await collect(await ai().caches.list({ config: { pageSize: 3 } }));
          expect(caches.map((listed) => listed.name)).toContain(name);
        },
        leave: async () => {
          await ai().caches.delete({ name });
          await expectGone(ai().caches.get({ name }));
        },
      };
    },
  };
}

function cacheOfFile(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "cache of a file",
    make: async () => {
      const { name: fileName, uri: fileUri } = await uploaded(ai(), "to be cached");
      const contents = [{ role: "user", parts: [{ fileData: { fileUri, mimeType: "text/plain" } }] }];
      const { name = "" } = await ai().caches.create({ model: CHAT_MODEL, config: { contents } });
      const owner = ownerOf(world, name);
      expect(owner).toBe(ownerOf(world, fileName));
      return {
        name,
        owner,
        visit: () => expectCached(ai(), name, owner),
        leave: async () => {
          await ai().caches.delete({ name });
          await ai().files.delete({ name: fileName });
        },
      };
    },
  };
}

async function expectCached(ai: GoogleGenAI, cachedContent: string, owner: string): Promise<void> {
  const answer = await ai.models.generateContent({
    model: CHAT_MODEL,
    contents: "again",
    config: { cachedContent },
  });
  expect(answer.text).toBe(replyOf(owner, "again"));
  expect(answer.usageMetadata?.cachedContentTokenCount).toBeGreaterThan(1_000);
}
