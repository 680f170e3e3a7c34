/** Stops of `openai`: files and batches, whose ids have a slash that the client percent-encodes. */
import OpenAI, { toFile } from "openai";
import { expect } from "vitest";
import { CHAT_MODEL } from "../../harness/client-pools.ts";
import { collect } from "../../harness/collect.ts";
import { CLIENT_KEY, ownerOf, polled, type Stop, type World } from "./stop.ts";

export function openAiStops(world: World): readonly Stop[] {
  return [batchInput(world), batch(world), cancelledBatch(world)];
}

/** It repeats nothing by itself, so that what is seen is the gateway's doing. */
function clientOf(world: World): OpenAI {
  return new OpenAI({ apiKey: CLIENT_KEY, baseURL: `${world.url}/v1beta/openai/`, maxRetries: 0 });
}

async function uploaded(world: World, text: string): Promise<string> {
  const file = await toFile(Buffer.from(text), "tour.jsonl");
  return (await clientOf(world).files.create({ purpose: "batch", file })).id;
}

function batchInput(world: World): Stop {
  return {
    name: "file",
    make: async () => {
      const id = await uploaded(world, "{}\n");
      return {
        name: id,
        owner: ownerOf(world, id),
        visit: async () => {
          expect(await clientOf(world).files.retrieve(id)).toMatchObject({ id, bytes: 3 });
          expect(await (await clientOf(world).files.content(id)).text()).toBe("{}\n");
        },
        find: async () => {
          const files = await collect(await clientOf(world).files.list());
          expect(files.map((listed) => listed.id)).toContain(id);
        },
        leave: async () => {
          expect(await clientOf(world).files.delete(id)).toMatchObject({ deleted: true });
          await expect(clientOf(world).files.retrieve(id)).rejects.toMatchObject({ status: 403 });
        },
      };
    },
  };
}

async function begun(world: World): Promise<OpenAI.Batch> {
  const body = { model: CHAT_MODEL, messages: [{ role: "user", content: "hi" }] };
  const line = { custom_id: "c1", method: "POST", url: "/v1/chat/completions", body };
  const input = await uploaded(world, `${JSON.stringify(line)}\n`);
  const made = await clientOf(world).batches.create({
    input_file_id: input,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
  expect(ownerOf(world, made.id)).toBe(ownerOf(world, input));
  return made;
}

function batch(world: World): Stop {
  return {
    name: "batch",
    make: async () => {
      const { id, input_file_id: input } = await begun(world);
      const owner = ownerOf(world, id);
      return {
        name: id,
        owner,
        visit: async () => {
          const ask = (): Promise<OpenAI.Batch> => clientOf(world).batches.retrieve(id);
          const done = await polled(ask, ({ status }) => status === "completed");
          const output = await clientOf(world).files.content(done.output_file_id ?? "");
          expect(await output.text()).toContain(`project ${owner}`);
        },
        find: async () => {
          const batches = await collect(await clientOf(world).batches.list());
          expect(batches.map((listed) => listed.id)).toContain(id);
        },
        leave: () =>
          clientOf(world)
            .files.delete(input)
            .then(() => {}),
      };
    },
  };
}

function cancelledBatch(world: World): Stop {
  return {
    name: "batch that is cancelled",
    make: async () => {
      const { id } = await begun(world);
      await clientOf(world).batches.cancel(id);
      return {
        name: id,
        owner: ownerOf(world, id),
        visit: async () => {
          expect(await clientOf(world).batches.retrieve(id)).toMatchObject({ status: "cancelled" });
        },
        leave: () => Promise.resolve(),
      };
    },
  };
}
