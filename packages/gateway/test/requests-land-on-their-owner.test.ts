/** What one project made is asked for with its keys and no other, whatever it is, on any thread, before and after a restart. */
import { expect, it } from "vitest";
import { asked, type OwnedThing } from "./harness/owned-things.ts";
import { MAKERS } from "./harness/thing-makers.ts";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool, PoolOptions } from "./harness/pool.ts";

const PROJECTS = fiveProjects(2).map((project) => ({ ...project, tier: "paid" as const }));

function poolWith(options: PoolOptions = {}): Promise<Pool> {
  return poolOfTest({ projects: PROJECTS, ...options });
}

/** Asks for all of it and expects that it is there. */
async function use(pool: Pool, things: readonly OwnedThing[]): Promise<void> {
  for (const { kind, uses } of things) {
    for (const request of uses) {
      const { status, text } = await asked(pool.url, request);
      expect([kind, request.method, request.path, status, status === 200 ? "" : text]).toEqual([
        kind,
        request.method,
        request.path,
        200,
        "",
      ]);
    }
  }
}

it("of every kind", async () => {
  const pool = await poolWith();
  const things: OwnedThing[] = [];
  for (let round = 0; round < 3; round += 1) for (const make of MAKERS) things.push(await make(pool.url));
  const owners = things.filter(({ name }) => name !== "").map(({ name }) => pool.emulator.ownerOf(name));
  expect(new Set(owners).size).toBeGreaterThan(3);
  await use(pool, things);
  await pool.restart();
  await use(pool, things);
  expect(pool.emulator.calls.foreignHits).toBe(0);
  for (const { kind, deletion } of things) {
    if (deletion === undefined) continue;
    expect([kind, (await asked(pool.url, deletion)).status]).toEqual([kind, 200]);
  }
  expect(pool.emulator.calls.foreignHits).toBe(0);
  await pool.endsInBalance();
}, 120_000);
