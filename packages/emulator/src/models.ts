/**
 * The model catalogue: names, what they resolve to, what they can do, and the shape of their streams. Pure.
 * The built-in names are those of late 2026 with a few older ones that clients' samples still use.
 */
import { STREAM_EVENTS_MAX, STREAM_INTERVAL_MS_MAX, STREAM_TEXT_BYTES_MAX } from "./model-spec.ts";
import type { ModelSpec } from "./model-spec.ts";

/** A model with every default filled in. */
export interface Model {
  readonly name: string;
  readonly resolvesTo: string;
  readonly methods: readonly string[];
  readonly inputTokenLimit: number;
  readonly outputTokenLimit: number;
  readonly thinking: boolean;
  readonly dimensions: number;
  readonly shape: StreamShape;
}

/** How an answer is cut into events. */
export interface StreamShape {
  /** 1..{@link STREAM_EVENTS_MAX}. */
  readonly events: number;
  /** Milliseconds between events. */
  readonly intervalMs: number;
  /** Text bytes of each event; 0 lets the answer decide. */
  readonly textBytes: number;
}

const GENERATE_METHODS = ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"];
const EMBED_METHODS = ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"];
const LIVE_METHODS = ["generateContent", "countTokens", "bidiGenerateContent"];
const DEFAULT_EVENTS = 4;

const BUILT_IN: readonly ModelSpec[] = [
  { name: "gemini-4-argon", thinking: true },
  { name: "gemini-3.8-flash" },
  { name: "gemini-3.6-flash" },
  { name: "gemini-3.5-flash-lite" },
  { name: "gemini-3.1-pro-preview", thinking: true },
  { name: "gemini-3-flash-preview" },
  { name: "gemini-2.5-pro", thinking: true },
  { name: "gemini-2.5-flash" },
  { name: "gemini-2.5-flash-lite" },
  { name: "gemini-2.0-flash" },
  { name: "gemma-4-31b-it", inputTokenLimit: 131_072 },
  { name: "gemini-embedding-001", methods: EMBED_METHODS, inputTokenLimit: 2048, dimensions: 3072 },
  { name: "gemini-embedding-2", methods: EMBED_METHODS, inputTokenLimit: 8192, dimensions: 3072 },
  { name: "gemini-3.8-live", methods: LIVE_METHODS },
  { name: "gemini-live-2.5-flash-preview", methods: LIVE_METHODS },
  { name: "gemini-3.1-flash-image" },
  { name: "imagen-4.0-generate-001", methods: ["predict"] },
  { name: "veo-3.1-generate-preview", methods: ["predictLongRunning"] },
  { name: "gemini-flash-latest", resolvesTo: "gemini-3.8-flash" },
  { name: "gemini-flash-lite-latest", resolvesTo: "gemini-3.5-flash-lite" },
  { name: "gemini-pro-latest", resolvesTo: "gemini-4-argon", thinking: true },
  { name: "gemini-3.7-flash", resolvesTo: "gemini-3.8-flash" },
  { name: "gemini-3.5-flash", resolvesTo: "gemini-3.6-flash" },
];

/** The built-in models with the stated ones added or put in their place. */
export function modelCatalogue(specs: readonly ModelSpec[]): ReadonlyMap<string, Model> {
  const catalogue = new Map<string, Model>();
  for (const spec of [...BUILT_IN, ...specs]) catalogue.set(spec.name, modelOf(spec));
  return catalogue;
}

function modelOf(spec: ModelSpec): Model {
  return {
    name: spec.name,
    resolvesTo: spec.resolvesTo ?? spec.name,
    methods: spec.methods ?? GENERATE_METHODS,
    inputTokenLimit: spec.inputTokenLimit ?? 1_048_576,
    outputTokenLimit: spec.outputTokenLimit ?? 65_536,
    thinking: spec.thinking ?? false,
    dimensions: spec.dimensions ?? 768,
    shape: {
      events: clamp(spec.events ?? DEFAULT_EVENTS, 1, STREAM_EVENTS_MAX),
      intervalMs: clamp(spec.intervalMs ?? 0, 0, STREAM_INTERVAL_MS_MAX),
      textBytes: clamp(spec.textBytes ?? 0, 0, STREAM_TEXT_BYTES_MAX),
    },
  };
}

/**
 * The shape a prompt asks for: `stream 20 events every 5 ms of 100 bytes`, the last two parts optional.
 * What it does not say stays as the model has it.
 */
export function shapeFor(promptText: string, modelShape: StreamShape): StreamShape {
  const asked = /\bstream (\d{1,6}) events?(?: every (\d{1,5}) ms)?(?: of (\d{1,7}) bytes)?/i.exec(
    promptText,
  );
  if (asked === null) return modelShape;
  const [, events, intervalMs, textBytes] = asked;
  return {
    events: clamp(Number(events), 1, STREAM_EVENTS_MAX),
    intervalMs: clamp(Number(intervalMs ?? modelShape.intervalMs), 0, STREAM_INTERVAL_MS_MAX),
    textBytes: clamp(Number(textBytes ?? modelShape.textBytes), 0, STREAM_TEXT_BYTES_MAX),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** A model as `models.list` and `models.get` show it. */
export function modelResource(model: Model): object {
  const resource = {
    name: `models/${model.name}`,
    version: "001",
    displayName: model.name,
    description: `Emulated ${model.name}`,
    inputTokenLimit: model.inputTokenLimit,
    outputTokenLimit: model.outputTokenLimit,
    supportedGenerationMethods: model.methods,
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: 2,
  };
  return model.thinking ? { ...resource, thinking: true } : resource;
}
