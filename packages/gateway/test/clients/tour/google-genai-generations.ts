/** The generations of `@google/genai` that travel: today's and the two before it, and all the stops of each. */
import type { GoogleGenAI as Newest } from "@google/genai";
import { GoogleGenAI as ThirdGoogleGenAI } from "@google/genai";
import { GoogleGenAI as FirstGoogleGenAI } from "@google/genai-1";
import { GoogleGenAI as SecondGoogleGenAI } from "@google/genai-2";
import { fileStops } from "./google-genai-files.ts";
import { interactionStops } from "./google-genai-interactions.ts";
import { jobStops, storeStops } from "./google-genai-jobs.ts";
import { talkStops } from "./google-genai-talks.ts";
import type { Generation } from "./google-genai.ts";
import type { Stop, World } from "./stop.ts";

// The calls made are the same in all; private fields and enums make the types foreign to each other.
export const GENERATIONS: Readonly<Record<"1" | "2" | "3", Generation>> = {
  "1": {
    create: (options) => new FirstGoogleGenAI(options) as unknown as Newest,
    makesVideos: true,
    hasAgents: false,
    continuesByItself: false,
  },
  "2": {
    create: (options) => new SecondGoogleGenAI(options) as unknown as Newest,
    makesVideos: true,
    hasAgents: true,
    continuesByItself: true,
  },
  "3": {
    create: (options) => new ThirdGoogleGenAI(options),
    makesVideos: false,
    hasAgents: true,
    continuesByItself: true,
  },
};

/** All that a generation can do about what belongs to a project. */
export function googleGenAiStops(generation: Generation, world: World): readonly Stop[] {
  return [
    ...fileStops(generation, world),
    ...jobStops(generation, world),
    ...storeStops(generation, world),
    ...talkStops(generation, world),
    ...interactionStops(generation, world),
  ];
}
