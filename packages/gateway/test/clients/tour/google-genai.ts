/** The versions of `@google/genai` that travel, and what their stops share. The newest one's types speak for all. */
import type { GoogleGenAI, GoogleGenAIOptions, HttpOptions } from "@google/genai";
import { expect } from "vitest";
import { CLIENT_KEY, type World } from "./stop.ts";

/** One version. */
export interface Generation {
  create(options: GoogleGenAIOptions): GoogleGenAI;
  /** The newest one gave up Veo for keys of the Gemini API. */
  readonly makesVideos: boolean;
  /** The oldest has only interactions of what came with them. */
  readonly hasAgents: boolean;
  /** Whether it asks by itself for the rest of an answer that comes in parts. */
  readonly continuesByItself: boolean;
}

/** A client as its documentation makes one. A new one each time: the address changes with a restart. */
export function clientOf(generation: Generation, world: World, more: HttpOptions = {}): GoogleGenAI {
  return generation.create({ apiKey: CLIENT_KEY, httpOptions: { baseUrl: world.url, ...more } });
}

/** Sees that it is gone, and that the upstream itself said so: 403 for most kinds, 404 for the newer ones. */
export async function expectGone(asked: Promise<unknown>): Promise<void> {
  await expect(asked).rejects.toSatisfy((error) =>
    [403, 404].includes((error as { status?: number }).status ?? 0),
  );
}
