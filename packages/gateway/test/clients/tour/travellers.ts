/** All clients that travel, each with its stops. */
import { GENERATIONS, googleGenAiStops } from "./google-genai-generations.ts";
import { aiSdkStops, generativeAiStops } from "./older-clients.ts";
import { openAiStops } from "./openai.ts";
import { plainStops } from "./plain.ts";
import type { Stop, World } from "./stop.ts";

export const TRAVELLERS: Readonly<Record<string, (world: World) => readonly Stop[]>> = {
  "@google/genai 1": (world) => googleGenAiStops(GENERATIONS["1"], world),
  "@google/genai 2": (world) => googleGenAiStops(GENERATIONS["2"], world),
  "@google/genai 3": (world) => googleGenAiStops(GENERATIONS["3"], world),
  "@google/generative-ai": generativeAiStops,
  "@ai-sdk/google": aiSdkStops,
  openai: openAiStops,
  fetch: plainStops,
};
