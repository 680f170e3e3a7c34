/** Stops of `@google/genai`: Live sessions that are taken up again, ephemeral tokens, chats with signed thoughts. */
import { Modality, type GoogleGenAI, type LiveConnectConfig, type LiveServerMessage } from "@google/genai";
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { CHAT_MODEL } from "../../harness/client-pools.ts";
import { LIVE_MODEL } from "../../harness/live.ts";
import { clientOf, type Generation } from "./google-genai.ts";
import { ownerOf, type Stop, type World } from "./stop.ts";

/** Longer than any tour, milliseconds. */
const TOKEN_LIFE_MS = 3_600_000;

export function talkStops(generation: Generation, world: World): readonly Stop[] {
  return [liveTalk(generation, world), token(generation, world), chat(generation, world)];
}

/** What the server said in one session up to the end of its first turn. */
interface Heard {
  readonly project: string;
  readonly handle: string;
}

/** Opens a session, says something, hears the answer and hangs up. Rejects with the server's own words. */
async function talk(ai: GoogleGenAI, config: LiveConnectConfig): Promise<Heard> {
  const heard = Promise.withResolvers<Heard>();
  const closed = Promise.withResolvers<never>();
  let said = "";
  let handle = "";
  const onmessage = ({ serverContent, sessionResumptionUpdate }: LiveServerMessage): void => {
    handle = sessionResumptionUpdate?.newHandle ?? handle;
    said += (serverContent?.modelTurn?.parts ?? []).map(({ text = "" }) => text).join("");
    const project = /project (\w+): you said "hello"/.exec(said)?.[1];
    const isWhole = config.sessionResumption === undefined || sessionResumptionUpdate !== undefined;
    if (project !== undefined && isWhole) heard.resolve({ project, handle });
  };
  const onclose = ({ code, reason }: { readonly code: number; readonly reason: string }): void =>
    closed.reject(new Error(`closed with ${code} ${reason}`));
  const connecting = ai.live.connect({
    model: LIVE_MODEL,
    config: { responseModalities: [Modality.TEXT], ...config },
    callbacks: { onmessage, onclose },
  });
  // The older two wait for ever when they are turned away.
  const session = await Promise.race([connecting, closed.promise]);
  session.sendClientContent({ turns: "hello" });
  return Promise.race([heard.promise, closed.promise]).finally(() => session.close());
}

function liveTalk(generation: Generation, world: World): Stop {
  return {
    name: "Live talk",
    make: async () => {
      const first = await talk(clientOf(generation, world), { sessionResumption: {} });
      let { handle } = first;
      return {
        name: "",
        owner: first.project,
        visit: async () => {
          const again = await talk(clientOf(generation, world), { sessionResumption: { handle } });
          ({ handle } = again);
          expect(again.project).toBe(first.project);
        },
        leave: () => Promise.resolve(),
      };
    },
  };
}

function token(generation: Generation, world: World): Stop {
  const httpOptions = { apiVersion: "v1alpha" };
  return {
    name: "ephemeral token",
    make: async () => {
      const until = new Date(Date.now() + TOKEN_LIFE_MS).toISOString();
      const config = { uses: 100, expireTime: until, newSessionExpireTime: until };
      const { name: apiKey = "" } = await clientOf(generation, world, httpOptions).authTokens.create({
        config,
      });
      const owner = ownerOf(world, apiKey);
      return {
        name: "",
        owner,
        visit: async () => {
          const options = { apiKey, httpOptions: { ...httpOptions, baseUrl: world.url } };
          expect((await talk(generation.create(options), {})).project).toBe(owner);
        },
        leave: () => Promise.resolve(),
      };
    },
  };
}

const WEATHER_TOOL = { functionDeclarations: [{ name: "weather", description: "Tells the weather" }] };

/** A conversation in which the model has signed something stays where it is, but is not lost with its project. */
function chat(generation: Generation, world: World): Stop {
  const begin = (history: object[] = []): ReturnType<GoogleGenAI["chats"]["create"]> =>
    clientOf(generation, world).chats.create({
      model: CHAT_MODEL,
      config: { tools: [WEATHER_TOOL] },
      history,
    });
  return {
    name: "chat",
    make: async () => {
      const first = begin();
      await first.sendMessage({ message: `call weather of ${randomUUID()}` });
      let history = first.getHistory();
      let owner = "";
      const goOn = async (): Promise<void> => {
        const talking = begin(history);
        const functionResponse = { name: "weather", response: { sky: "clear" } };
        const { text = "" } = await talking.sendMessage({ message: [{ functionResponse }] });
        owner = /^Project (\w+) got the tool's answer/.exec(text)?.[1] ?? `nobody, but: ${text}`;
        await talking.sendMessage({ message: "call weather" });
        history = talking.getHistory();
      };
      await goOn();
      if (generation.continuesByItself) await expectContinued(begin());
      return {
        name: "",
        get owner() {
          return owner;
        },
        isMovable: true,
        visit: goOn,
        leave: () => Promise.resolve(),
      };
    },
  };
}

/** An answer in three parts is asked for with three requests, each with the token of the one before. */
async function expectContinued(talking: ReturnType<GoogleGenAI["chats"]["create"]>): Promise<void> {
  const { text = "" } = await talking.sendMessage({ message: "continue 2 times" });
  const projects = [...text.matchAll(/Part \d from project (\w+)\. /g)].map(([, project]) => project);
  expect(projects).toEqual(Array.from({ length: 3 }, () => projects[0]));
}
