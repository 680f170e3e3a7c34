import { expect, test } from "vitest";
import { keyPoolFixture } from "./key-pool-fixture.ts";

const KEYS = 100_000;
/** CPU time of it all, milliseconds: some three times what it takes. */
const COST_MS_MAX = 15_000;
/** It takes seconds; on a machine that is busy with other tests, many times that. Milliseconds. */
const PATIENCE_MS = 120_000;
/** A transaction holds 200 keys at most, and every transaction ends a turn. */
const TURNS_MIN = (2 * KEYS) / 200;

/**
 * Measured on two busy cores: 2.2 s of CPU time for the first sync, most of it SQLite's, and no turn above 17 ms. The times
 * of a busy machine say little, so the test counts the turns that others got.
 */
test(
  "100,000 keys are added, found again and retired in seconds, in steps that let others in",
  async () => {
    using pool = keyPoolFixture();
    pool.write(
      "all.txt",
      Array.from({ length: KEYS }, (_, index) => `AIzaFakeKeyForTheTestsOfTheSync-${index}`).join(","),
    );
    const sync = pool.sync();
    let turns = 0;
    let isOver = false;
    const takeTurn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(takeTurn);
    };
    takeTurn();
    const before = process.threadCpuUsage();
    expect(await sync.start()).toMatchObject({ keys: KEYS, added: KEYS });
    expect(await sync.sync()).toMatchObject({ keys: KEYS, added: 0, retired: 0 });
    pool.write("all.txt", "");
    expect(await sync.sync()).toMatchObject({ keys: 0, retired: KEYS });
    isOver = true;
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(COST_MS_MAX);
    expect(turns).toBeGreaterThan(TURNS_MIN);
    expect(pool.changes.every(({ added, retired }) => added.length + retired.length <= 200)).toBe(true);
  },
  PATIENCE_MS,
);
