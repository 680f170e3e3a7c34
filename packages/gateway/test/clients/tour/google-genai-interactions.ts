/** Stops of `@google/genai`: interactions in all their ways, and the agents and environments that came with them. */
import type { GoogleGenAI } from "@google/genai";
import { expect } from "vitest";
import { collect } from "../../harness/collect.ts";
import { clientOf, expectGone, type Generation } from "./google-genai.ts";
import { ownerOf, polled, type Stop, type World } from "./stop.ts";

const MODEL = "gemini-3-flash-preview";
/** These calls alone are repeated by the client itself, four times: what is seen should be the gateway's doing. */
const ONCE = { maxRetries: 0 };

export function interactionStops(generation: Generation, world: World): readonly Stop[] {
  const ai = (): GoogleGenAI => clientOf(generation, world);
  const always = [interaction(generation, world), streamed(ai, world), inTheBackground(ai, world)];
  return generation.hasAgents ? [...always, agent(ai, world), environment(ai, world)] : always;
}

function interaction(generation: Generation, world: World): Stop {
  const ai = (): GoogleGenAI => clientOf(generation, world);
  return {
    name: "interaction",
    make: async () => {
      const first = await ai().interactions.create({ model: MODEL, input: "one" }, ONCE);
      const { id } = first;
      const owner = ownerOf(world, `interactions/${id}`);
      let last = id;
      if (generation.continuesByItself) {
        const whole = await ai().interactions.create({ model: MODEL, input: "continue 2 times" }, ONCE);
        expect(JSON.stringify(whole)).toMatch(/Part 1 .*Part 2 .*Part 3 /);
      }
      return {
        name: `interactions/${id}`,
        owner,
        visit: async () => {
          expect(await ai().interactions.get(id, {}, ONCE)).toMatchObject({ status: "completed" });
          const wish = { model: MODEL, input: "two", previous_interaction_id: last };
          const next = await ai().interactions.create(wish, ONCE);
          expect(JSON.stringify(next)).toContain(`project ${owner}`);
          last = next.id;
        },
        leave: async () => {
          await ai().interactions.delete(id, {}, ONCE);
          await expectGone(ai().interactions.get(id, {}, ONCE));
        },
      };
    },
  };
}

/** Its stream is taken up after an event in its middle. */
function streamed(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "interaction as a stream",
    make: async () => {
      const stream = await ai().interactions.create({ model: MODEL, input: "three", stream: true }, ONCE);
      const events = (await collect(stream)) as unknown as readonly StreamEvent[];
      const id = events[0]?.interaction?.id ?? "";
      const middle = Math.floor(events.length / 2);
      const owner = ownerOf(world, `interactions/${id}`);
      expect(JSON.stringify(events)).toContain(owner);
      return {
        name: `interactions/${id}`,
        owner,
        visit: async () => {
          const from = { stream: true as const, last_event_id: events[middle]?.event_id ?? "" };
          const rest = await collect(await ai().interactions.get(id, from, ONCE));
          const ids = (rest as unknown as readonly StreamEvent[]).map(({ event_id: eventId }) => eventId);
          expect(ids).toEqual(events.slice(middle + 1).map(({ event_id: eventId }) => eventId));
        },
        leave: () =>
          ai()
            .interactions.delete(id, {}, ONCE)
            .then(() => {}),
      };
    },
  };
}

interface StreamEvent {
  readonly event_id?: string;
  readonly interaction?: { readonly id: string };
}

function inTheBackground(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "interaction in the background",
    make: async () => {
      const { id } = await ai().interactions.create({ model: MODEL, input: "four", background: true }, ONCE);
      const owner = ownerOf(world, `interactions/${id}`);
      const wish = { model: MODEL, input: "five", background: true, previous_interaction_id: id };
      const other = await ai().interactions.create(wish, ONCE);
      await ai().interactions.cancel(other.id, {}, ONCE);
      return {
        name: `interactions/${id}`,
        owner,
        visit: async () => {
          const done = await polled(
            () => ai().interactions.get(id, {}, ONCE),
            ({ status }) => status === "completed",
          );
          expect(JSON.stringify(done)).toContain(`project ${owner}`);
          expect(await ai().interactions.get(other.id, {}, ONCE)).toMatchObject({ status: "cancelled" });
        },
        leave: () =>
          ai()
            .interactions.delete(id, {}, ONCE)
            .then(() => {}),
      };
    },
  };
}

function agent(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "agent",
    make: async () => {
      const { id = "" } = await ai().agents.create({ system_instruction: "Be brief." }, ONCE);
      const owner = ownerOf(world, `agents/${id}`);
      return {
        name: `agents/${id}`,
        owner,
        visit: async () => {
          expect(await ai().agents.get(id, {}, ONCE)).toMatchObject({ id });
          const answer = await ai().interactions.create({ agent: id, input: "six" }, ONCE);
          expect(JSON.stringify(answer)).toContain(`project ${owner}`);
        },
        find: async () => {
          expect(JSON.stringify(await ai().agents.list({}, ONCE))).toContain(id);
        },
        leave: async () => {
          await ai().agents.delete(id, {}, ONCE);
          await expectGone(ai().agents.get(id, {}, ONCE));
        },
      };
    },
  };
}

function environment(ai: () => GoogleGenAI, world: World): Stop {
  return {
    name: "environment",
    make: async () => {
      const { id } = await ai().environments.create({}, ONCE);
      const owner = ownerOf(world, `environments/${id}`);
      const file = new Blob(["in it"], { type: "text/plain" });
      await ai().environments.files.upload({ environment: id, path: "a/b.txt", file }, ONCE);
      return {
        name: `environments/${id}`,
        owner,
        visit: async () => {
          expect(await ai().environments.get(id, {}, ONCE)).toMatchObject({ id });
          const bytes = await ai().environments.files.download({ environment: id, path: "a/b.txt" }, ONCE);
          expect(Buffer.from(bytes).toString()).toBe("in it");
          const wish = { model: MODEL, input: "seven", environment: id };
          expect(JSON.stringify(await ai().interactions.create(wish, ONCE))).toContain(`project ${owner}`);
        },
        leave: () =>
          ai()
            .environments.delete(id, {}, ONCE)
            .then(() => {}),
      };
    },
  };
}
