/** The tour straight to the emulator, with the keys of one project: proves the stops and the emulator to each other. */
import { startEmulator } from "gemini-emulator";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, vi } from "vitest";
import { TRAVELLERS } from "./tour/travellers.ts";
import { CLIENT_KEY, strayCalls, type Stop } from "./tour/stop.ts";

// Their warnings of what is new or about to go are not the point.
beforeAll(() => void vi.spyOn(console, "warn").mockReturnValue());

it.each(Object.entries(TRAVELLERS))("%s", { timeout: 180_000 }, async (_client, stopsFor) => {
  await using emulator = await startEmulator({ projects: [{ name: "alone", keys: [CLIENT_KEY] }] });
  await using folder = await scratchFolder();
  const world = { url: emulator.url, emulator, folder: folder.path };
  for (const stop of stopsFor(world)) {
    await travel(stop).catch((error: unknown) => {
      throw new Error(`${stop.name}: ${String(error)}`, { cause: error });
    });
  }
  expect(strayCalls(emulator)).toEqual([]);
});

async function travel(stop: Stop): Promise<void> {
  const stay = await stop.make();
  expect(stay.owner).toBe("alone");
  await stay.visit();
  await stay.find?.();
  await stay.visit();
  expect(stay.owner).toBe("alone");
  await stay.leave();
}

async function scratchFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "gateway-tour-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
