/**
 * The tour of unmodified clients through a gateway with five projects: before and after restarts, with one project that
 * dies midway and comes back, and one of another project's keys that is lost for good.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, vi } from "vitest";
import { fingerprint } from "../../src/primary/keys/fingerprint.ts";
import { wishKeys } from "../../src/control/key-desk-commands.ts";
import { startPool, type Pool } from "../harness/pool.ts";
import { PoolTour } from "./tour/pool-tour.ts";
import { CLIENT_KEY, strayCalls, type World } from "./tour/stop.ts";
import { TRAVELLERS } from "./tour/travellers.ts";

const PROJECTS = ["alpha", "beta", "gamma", "delta", "epsilon"].map((name) => ({
  name,
  keys: [`test-key-${name}-1`, `test-key-${name}-2`],
}));
/** Dies, and comes back. */
const MORTAL = "gamma";
/** Loses a key. */
const ROBBED = "delta";

// Their warnings of what is new or about to go are not the point.
beforeAll(() => void vi.spyOn(console, "warn").mockReturnValue());

it.each(Object.entries(TRAVELLERS))("%s", { timeout: 300_000 }, async (_client, stopsFor) => {
  await using pool = await startPool({ projects: PROJECTS, callsKept: 100_000 });
  await using folder = await scratchFolder();
  const tour = new PoolTour(stopsFor, worldOf(pool, folder.path));

  await tour.makeFor([MORTAL, ROBBED]);
  await tour.goRound();
  expectAtHome(pool);
  // Conversations too: a signed thought was shown to the project alone that signed it.
  expect(pool.emulator.calls.foreignTokens).toBe(0);
  await restart(pool, tour);
  await tour.goRound();

  pool.emulator.setProjectState(MORTAL, "suspended");
  pool.emulator.setKeyState(`test-key-${ROBBED}-1`, "invalid");
  await tour.goRound(MORTAL);
  await tour.makeElsewhere(MORTAL);
  await restart(pool, tour);
  await tour.goRound(MORTAL);

  pool.emulator.setProjectState(MORTAL, "ok");
  await forgetWhatWas(pool, MORTAL);
  tour.restarted();
  await tour.goRound();
  await tour.leave();
  expectAtHome(pool);
  expectNothingTold(pool);
  await pool.endsInBalance();
});

/**
 * Many connections, so that what one worker is told of is asked of another. And what Google does not have: a path in the
 * base URL, and a gateway that wants an auth key, which second legs of uploads do not bring.
 */
it(
  "all of them at once, below a path prefix, none let in without an auth key",
  { timeout: 300_000 },
  async () => {
    const flags = { "path-prefix": "/gw", "auth-key": `tour=${CLIENT_KEY}`, anonymous: "denied", workers: 3 };
    await using pool = await startPool({ projects: PROJECTS, callsKept: 100_000, flags });
    await using folder = await scratchFolder();
    const tours = Object.values(TRAVELLERS).map(
      (stopsFor) => new PoolTour(stopsFor, worldOf(pool, folder.path)),
    );
    // One after the other: a project in which others are at work gives way, so that chance alone would bring it something.
    for (const tour of tours) await tour.makeFor([ROBBED]);
    const journeys = tours.map(async (tour) => {
      await tour.makeAnywhere();
      await tour.goRound();
      await tour.leave();
    });
    await Promise.all(journeys);
    expectAtHome(pool);
    expect(pool.emulator.calls.foreignTokens).toBe(0);
    // What opens something would stand in such lines, if anywhere.
    expect(pool.logLines.join("")).toContain("/upload/v1beta/files");
    expectNothingTold(pool);
    await pool.endsInBalance();
  },
);

/** Its address changes with each restart. */
function worldOf(pool: Pool, folder: string): World {
  return {
    emulator: pool.emulator,
    folder,
    get url() {
      return pool.url;
    },
  };
}

/** Nothing was asked of a project that does not own it, whatever it answered. */
function expectAtHome({ emulator }: Pool): void {
  expect(strayCalls(emulator)).toEqual([]);
  expect(emulator.calls.foreignHits).toBe(0);
}

/** Neither did Google hear of the client and its gateway, nor the log of what opens something. */
function expectNothingTold({ emulator, logLines }: Pool): void {
  for (const { headers } of emulator.calls.recent()) {
    expect(headers.join(" ")).not.toMatch(new RegExp(`${CLIENT_KEY}|x-gateway|x-forwarded`, "i"));
  }
  expect(logLines.join("")).not.toMatch(/test-key-|upload_id=\w|auth_tokens\/\w|access_token=\w/);
}

async function restart(pool: Pool, tour: PoolTour): Promise<void> {
  await pool.restart();
  tour.restarted();
}

/** As the operator does who knows that Google has let the project in again. */
async function forgetWhatWas(pool: Pool, project: string): Promise<void> {
  const { keys = [] } = PROJECTS.find(({ name }) => name === project) ?? {};
  await pool.gateway.stop();
  const fingerprints = keys.map((key) => fingerprint(key));
  await wishKeys(pool.config.database, { wish: "reset", fingerprints, all: false, note: null });
  await pool.start();
}

async function scratchFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "gateway-tour-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
