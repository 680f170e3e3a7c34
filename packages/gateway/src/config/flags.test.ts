import { expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { ENTRIES } from "./entries.ts";
import { declareFlags, refuseUnknownFlags } from "./flags.ts";

test("names derive from the schema and none stands twice", () => {
  const lease = ENTRIES.find(({ path }) => path === "lease.maxWait");
  expect(lease).toMatchObject({
    flag: "lease-max-wait",
    environment: ["GEMINI_GATEWAY_LEASE_MAX_WAIT"],
    resolvedPath: ["lease", "maxWaitMs"],
  });
  expect(new Set(ENTRIES.map(({ flag }) => flag)).size).toBe(ENTRIES.length);
  const environment = ENTRIES.flatMap((entry) => entry.environment);
  expect(new Set(environment).size).toBe(environment.length);
});

test("every flag has one line of help with its bounds and default", () => {
  const flags = declareFlags(ENTRIES);
  expect(Object.keys(flags)).toEqual(ENTRIES.map(({ flag }) => flag));
  expect(flags["port"]).toEqual({
    type: "string",
    describe: "TCP port to listen on (0..65535)",
    group: "Main options:",
    defaultDescription: "55200",
  });
  for (const { describe } of Object.values(flags)) {
    expect(describe).toMatch(/^[A-Z][^\n`]{5,170}$/);
    // Each bracket that is opened closes: no sentence was cut within one.
    expect(describe.replaceAll(/\([^()]*\)/g, "")).not.toMatch(/[()]/);
  }
});

test("an unknown flag is refused by name, with the nearest one", () => {
  const refuse = (flag: string) => () =>
    refuseUnknownFlags({ _: [], $0: "x", [flag]: "1" }, ["port", "help"], "x serve");
  expect(refuse("port")).not.toThrow();
  expect(refuse("prot")).toThrow(new ConfigError("--prot is not an option here; did you mean --port?"));
  expect(refuse("q")).toThrow(new ConfigError("-q is not an option here; see `x serve --help`"));
  expect(refuse("zzzz".repeat(100))).toThrow(/^--z{40} is not/);
});
